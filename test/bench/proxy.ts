/**
 * One simulated sidecar: a stock Envoy 1.40 with the on-demand filter, as seen by its control plane on one delta stream. CDS and
 * LDS wildcard, RDS by name, one empty VHDS request; then, for each call of the app, the virtual host, its clusters and their
 * endpoints. What Envoy is played by here was seen on the real one: a new Cluster is acknowledged after its endpoints have
 * come, endpoints pushed right behind their Cluster are taken, a name is asked for once.
 */
import { answersFor, edsNameOf, hasVhds, type Received, type Response, readVirtualHost, routeNamesOf, type Type, urls, type VirtualHost } from './resources.js';
import { field } from './wire.js';

/** A running proxy. */
export interface Proxy {
  /** Begins with its first request. */
  readonly begin: () => void;
  /** Takes a response. */
  readonly receive: (response: Response) => void;
  /** The app calls a host; `done` runs when Envoy can pass the request on. */
  readonly call: (host: string, done: () => void) => void;
  readonly oddities: Oddities;
}

/** What a real Envoy would have trouble with; all of it should be 0. */
export interface Oddities {
  /** Hosts answered as missing while the app was calling them: a 404. */
  unknownHosts: number;
  /** Hosts that the domains of their virtual host lack: a 404. */
  foreignDomains: number;
  /** Endpoints that were sent before their Cluster: dropped. */
  unaskedEndpoints: number;
  /** Clusters answered as missing while a call was waiting for them: the call hangs. */
  missingClusters: number;
}

/** How a proxy reaches its server and tells of itself. */
export interface ProxyParts {
  /** The serialized envoy.config.core.v3.Node. */
  readonly node: Buffer;
  readonly send: (request: Buffer) => void;
  /** Runs once, when all listeners are warm. */
  readonly onReady: () => void;
}

/** What the proxy knows of one type. */
interface TypeState {
  asked: boolean;
  readonly wanted: Set<string>;
  readonly held: Set<string>;
}

/** A proxy that has said nothing yet. */
export function createProxy({ node, send, onReady }: ProxyParts): Proxy {
  const state: Readonly<Record<Type, TypeState>> = { cds: fresh(), eds: fresh(), lds: fresh(), rds: fresh(), vhds: fresh() };
  const oddities: Oddities = { unknownHosts: 0, foreignDomains: 0, unaskedEndpoints: 0, missingClusters: 0 };
  const edsNames = new Map<string, string | undefined>();
  const virtualHosts = new Map<string, VirtualHost>();
  const onDemandRoutes = new Set<string>();
  const basedRoutes = new Set<string>();
  const calls = new Map<string, () => void>();
  let clusterAcks: string[] = [];
  let isReady = false;
  let isFirst = true;

  function request(type: Type, subscribe: readonly string[], nonce = ''): void {
    state[type].asked = true;
    const head = isFirst ? [field(1, node)] : [];
    isFirst = false;
    const names = subscribe.map((name) => field(3, name));
    send(Buffer.concat([...head, field(2, urls[type]), ...names, ...(nonce ? [field(6, nonce)] : [])]));
  }

  /** Asks for those names that were never asked for. */
  function subscribe(type: Type, names: Iterable<string>): void {
    const fresh = [...names].filter((name) => !state[type].wanted.has(name));
    for (const name of fresh) state[type].wanted.add(name);
    if (fresh.length > 0) request(type, fresh);
  }

  function receive(response: Response): void {
    const { type, nonce } = response;
    if (!state[type].asked) {
      if (type === 'eds') oddities.unaskedEndpoints += response.resources.length;
      return;
    }
    for (const { name, body } of response.resources) if (accepts(type, name) && body.length > 0) state[type].held.add(name);
    for (const name of response.removed) if (type !== 'eds') state[type].held.delete(name);
    handlers[type](response);
    if (type === 'cds' && isWarming()) clusterAcks.push(nonce);
    else acknowledge(type, nonce);
    becomeReady();
    advance();
  }

  function accepts(type: Type, name: string): boolean {
    if (type !== 'eds' || state.eds.wanted.has(name)) return true;
    oddities.unaskedEndpoints++;
    return false;
  }

  const handlers: Readonly<Record<Type, (response: Response) => void>> = {
    cds: ({ resources, removed }) => {
      for (const cluster of resources) edsNames.set(cluster.name, edsNameOf(cluster));
      for (const name of removed) dropCluster(name);
      subscribe('eds', resources.flatMap(({ name }) => edsNames.get(name) ?? []));
      if (state.eds.wanted.size === 0) openListeners();
    },
    eds: openListeners,
    lds: ({ resources }) => subscribe('rds', resources.flatMap(routeNamesOf)),
    rds: ({ resources }) => {
      for (const routes of resources) if (hasVhds(routes)) onDemandRoutes.add(routes.name);
      if (onDemandRoutes.size > 0 && !state.vhds.asked) request('vhds', []);
    },
    vhds: ({ resources, removed }) => {
      for (const received of resources) takeVirtualHost(received);
      for (const name of removed) virtualHosts.delete(name);
    },
  };

  function openListeners(): void {
    if (!state.lds.asked) request('lds', []);
  }

  function dropCluster(name: string): void {
    const eds = edsNames.get(name);
    edsNames.delete(name);
    if (eds) state.eds.held.delete(eds);
    const isCalled = [...calls.keys()].some((host) => virtualHosts.get(keyOf(host))?.clusters.includes(name));
    if (isCalled) oddities.missingClusters++;
  }

  function takeVirtualHost(received: Received): void {
    const { keys } = readVirtualHost(received);
    for (const key of keys) basedRoutes.add(key.slice(0, key.indexOf('/')));
    if (received.body.length === 0) {
      for (const key of keys) virtualHosts.delete(key);
      oddities.unknownHosts += keys.filter((key) => calls.has(key.slice(key.indexOf('/') + 1))).length;
      return;
    }
    for (const key of keys) virtualHosts.set(key, readVirtualHost(received));
  }

  /** While a cluster waits for its endpoints Envoy sends nothing about clusters. */
  function isWarming(): boolean {
    return isReady && [...state.eds.wanted].some((name) => !state.eds.held.has(name));
  }

  function acknowledge(type: Type, nonce: string): void {
    if (type === 'eds' && clusterAcks.length > 0 && !isWarming()) {
      for (const held of clusterAcks) request('cds', [], held);
      clusterAcks = [];
    }
    request(type, [], nonce);
  }

  function becomeReady(): void {
    if (isReady || !state.lds.asked || state.lds.held.size === 0 || state.rds.wanted.size > state.rds.held.size) return;
    if (state.eds.wanted.size > state.eds.held.size || [...onDemandRoutes].some((routes) => !basedRoutes.has(routes))) return;
    isReady = true;
    onReady();
  }

  function keyOf(host: string): string {
    const [routes = ''] = onDemandRoutes;
    return `${routes}/${host}`;
  }

  /** Takes every open call as far as it gets. */
  function advance(): void {
    if (isReady) for (const [host, done] of calls) step(host, done);
  }

  function step(host: string, done: () => void): void {
    const virtualHost = virtualHosts.get(keyOf(host));
    if (!virtualHost) return subscribe('vhds', [keyOf(host)]);
    const missing = virtualHost.clusters.filter((cluster) => !state.cds.held.has(cluster));
    if (missing.length > 0) return isWarming() ? undefined : subscribe('cds', missing);
    if (virtualHost.clusters.some((cluster) => !state.eds.held.has(edsNames.get(cluster) ?? '') && edsNames.get(cluster))) return;
    if (!answersFor(virtualHost, host)) oddities.foreignDomains++;
    calls.delete(host);
    done();
  }

  return {
    begin: () => request('cds', []),
    receive,
    call: (host, done) => {
      calls.set(host, done);
      advance();
    },
    oddities,
  };
}

function fresh(): TypeState {
  return { asked: false, wanted: new Set(), held: new Set() };
}
