/** Many simulated proxies, what they receive, and when a change has reached those that depend on it. */
import { encode } from '../../src/envoy/encode.js';
import { type Connection, openStream } from './connection.js';
import { type PlannedProxy, proxyAt, type Size } from './plan.js';
import { createProxy, type Oddities, type SimulatedProxy } from './proxy.js';
import { readResponse, type Type } from './resources.js';

/** A change on its way to the proxies that depend on it. */
export interface Expectation {
  readonly types: readonly Type[];
  /** The bytes by which a response is known to bring the change. */
  readonly marker: Buffer;
  readonly proxies: readonly number[];
}

/** What a proxy has received so far. */
export interface Traffic {
  messages: number;
  /** Of messages, without HTTP/2's own. */
  bytes: number;
}

/** All proxies of a run. */
export interface Fleet {
  /** Connects all at once; resolves to the milliseconds after which each had its listeners warm. */
  readonly connect: () => Promise<readonly number[]>;
  /** A proxy's app calls a host; resolves to the milliseconds until the request could pass. */
  readonly call: (proxy: number, host: string) => Promise<number>;
  /** Resolves to the moments (of `performance.now()`) at which the change reached each proxy. To be called before the change is made. */
  readonly expect: (expectation: Expectation) => Promise<readonly number[]>;
  readonly traffic: readonly Traffic[];
  readonly oddities: () => Oddities;
  readonly close: () => void;
}

interface Waiting extends Expectation {
  readonly missing: Set<number>;
  readonly times: number[];
  readonly resolve: (times: readonly number[]) => void;
}

/** How long a change, a call or a start may take before the run is given up. */
const patienceMs = 60_000;

/** Proxies that are not yet connected. A stream that ends rejects whatever is being waited for. */
export function createFleet(size: Size, port: number): Fleet {
  const traffic = Array.from({ length: size.proxies }, (): Traffic => ({ messages: 0, bytes: 0 }));
  const connections: Connection[] = [];
  const proxies: SimulatedProxy[] = [];
  let waiting: Waiting | undefined;
  let fail: (error: Error) => void = () => {};
  const broken = new Promise<never>((_, reject) => {
    fail = reject;
  });
  broken.catch(() => {});

  function note(proxy: number, type: Type, message: Buffer): void {
    if (!waiting?.missing.has(proxy) || !waiting.types.includes(type) || !message.includes(waiting.marker)) return;
    waiting.missing.delete(proxy);
    waiting.times.push(performance.now());
    if (waiting.missing.size === 0) waiting.resolve(waiting.times);
  }

  function connectOne(index: number): Promise<number> {
    const begin = performance.now();
    const seen = traffic[index] ?? { messages: 0, bytes: 0 };
    return new Promise((resolve) => {
      const connection = openStream(port, {
        onMessage: (message) => {
          seen.messages++;
          seen.bytes += message.length;
          const response = readResponse(message);
          note(index, response.type, message);
          proxy.receive(response);
        },
        onEnd: (reason) => fail(new Error(`proxy ${index}: ${reason}`)),
      });
      const proxy = createProxy({ node: nodeOf(proxyAt(size, index)), send: connection.send, onReady: () => resolve(performance.now() - begin) });
      connections[index] = connection;
      proxies[index] = proxy;
      proxy.begin();
    });
  }

  const bounded = <T>(what: string, promise: Promise<T>) => withPatience(what, Promise.race([promise, broken]));
  return {
    connect: () => bounded('all listeners to be warm', Promise.all(traffic.map((_, index) => connectOne(index)))),
    call: (proxy, host) =>
      bounded(
        `proxy ${proxy} to reach ${host}`,
        new Promise((resolve) => {
          const begin = performance.now();
          proxies[proxy]?.call(host, () => resolve(performance.now() - begin));
        }),
      ),
    expect: (expectation) =>
      bounded(
        'a change to arrive',
        new Promise((resolve) => {
          waiting = { ...expectation, missing: new Set(expectation.proxies), times: [], resolve };
        }),
      ),
    traffic,
    oddities: () => sum(proxies.map((proxy) => proxy.oddities)),
    close: () => {
      for (const connection of connections) connection.close();
    },
  };
}

async function withPatience<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${patienceMs / 1000} s in vain for ${what}`)), patienceMs);
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a sidecar says of itself. */
function nodeOf({ namespace, pod, app }: PlannedProxy): Buffer {
  return encode('envoy.config.core.v3.Node', {
    id: `${namespace}/${pod}`,
    cluster: app,
    metadata: { namespace, pod, serviceAccount: app, labels: { app, version: 'v1' } },
    locality: { region: 'region-0', zone: 'zone-0' },
    user_agent_name: 'envoy',
    user_agent_build_version: { version: { major_number: 1, minor_number: 40, patch: 0 } },
    client_features: ['envoy.lb.does_not_support_overprovisioning', 'xds.config.supports-resource-ttl'],
  });
}

function sum(list: readonly Oddities[]): Oddities {
  const total: Oddities = { unknownHosts: 0, foreignDomains: 0, unasked: 0, missingClusters: 0 };
  for (const one of list) {
    total.unknownHosts += one.unknownHosts;
    total.foreignDomains += one.foreignDomains;
    total.unasked += one.unasked;
    total.missingClusters += one.missingClusters;
  }
  return total;
}
