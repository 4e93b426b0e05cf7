/** What a gRPC client without a proxy lives through with Weft; the same for every language. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startWeft } from '../../src/commands/demo/weft-process.js';
import { fetchStatus } from '../../src/commands/status-fetch.js';
import { type Cleanup, temporaryFolder } from '../support/envoy.js';
import { backends, type Manifest, policy, put, service } from '../support/manifests.js';
import { freePorts } from '../support/port.js';
import { type EchoServer, startEcho } from './echo.js';

/** How many calls to make, one after another, with which headers. */
export interface Order {
  readonly count: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** How many calls each server answered, and what went wrong with the others. */
export interface Outcome {
  readonly answers: Readonly<Record<string, number>>;
  readonly errors: readonly string[];
}

const namespace = 'shop';
const port = 9080;

/** The context of a test that tells its steps. */
export interface Teller extends Cleanup {
  readonly test: (name: string, step: () => Promise<void>) => Promise<unknown>;
}

/**
 * Tells the story to the client that this command starts; it gets the target as its last argument. No call may fail, but for
 * the errors of the client's own that `tolerated` names, in the moment of a change.
 */
export async function tellStory(t: Teller, command: readonly string[], tolerated?: RegExp): Promise<void> {
  const { manifests, replicas, end, ...weft } = await setStage(t);
  const { call, only, until } = startClient(t, command, weft, tolerated);
  const synced = () => checkStatus(weft);

  await t.test('calls reach every endpoint', async () => {
    await only({}, 40, 'v1-a', 'v2-a');
    await synced();
  });

  await t.test('a route for a header and weights take effect', async () => {
    await put(manifests, 'policy', [canary(90, 10)]);
    await until({ 'x-tester': 'true' }, 'v2-a');
    const answers = await call({}, 400);
    const share = (answers['v2-a'] ?? 0) / 400;
    assert.ok(share > 0.03 && share < 0.2, `v2 got ${share} instead of 0.1`);
    await synced();
  });

  await t.test('an endpoint replaced by another is followed', async () => {
    await replicas('v1-b', 'v2-a');
    await until({ 'x-all-v1': 'true' }, 'v1-b');
    await end('v1-a');
    await only({ 'x-all-v1': 'true' }, 50, 'v1-b');
  });

  await t.test('a change of the policy is followed', async () => {
    await put(manifests, 'policy', [canary(0, 100)]);
    await until({}, 'v2-a');
    await synced();
  });

  await t.test('every stanza that gRPC can follow is taken, and those that it cannot do no harm', async () => {
    for (const stanzas of variety) {
      await put(manifests, 'policy', [canary(100, 0, stanzas)]);
      await until({}, 'v1-b');
      await synced();
      await put(manifests, 'policy', [canary(0, 100)]);
      await until({}, 'v2-a');
    }
  });

  await t.test('the end of Weft is survived, and its return followed', async () => {
    await weft.kill();
    await only({}, 50, 'v2-a');
    await put(manifests, 'policy', [canary(100, 0)]);
    await weft.start();
    await until({}, 'v1-b');
    await synced();
  });
}

const variety: readonly Manifest[] = [
  { timeouts: { request: '5s', backendRequest: '2s' } },
  { retry: { codes: [503], attempts: 2, backoff: '10ms' }, retryConstraint: { budget: { percent: 20 } } },
  { loadBalancing: { type: 'RoundRobin' } },
  { loadBalancing: { type: 'LeastRequest', slowStart: { window: '10s' } } },
  { loadBalancing: { type: 'Random' } },
  { loadBalancing: { type: 'ConsistentHash', consistentHash: { type: 'Header', header: { name: 'x-user' } } } },
  { loadBalancing: { type: 'ConsistentHash', consistentHash: { type: 'Cookie', cookie: { name: 'user', ttl: '1h' } } } },
  { loadBalancing: { type: 'ConsistentHash', consistentHash: { type: 'SourceIP' } } },
  { loadBalancing: { type: 'ConsistentHash', consistentHash: { type: 'QueryParameter', queryParameter: { name: 'user' } } } },
  { loadBalancing: { locality: { type: 'PreferZone' } } },
  { circuitBreaker: { maxConnections: 100, maxPendingRequests: 10, maxParallelRequests: 100, maxParallelRetries: 3 } },
  { outlierDetection: { consecutive5xxErrors: 5, interval: '10s', baseEjectionTime: '30s', maxEjectionPercent: 50 } },
  { connection: { connectTimeout: '1s', idleTimeout: '1m', maxRequestsPerConnection: 100, maxConnectionDuration: '10m' } },
];

/** Testers always get v2, and others by these weights; the last rule has a name for v1 alone. */
function canary(v1: number, v2: number, stanzas: Manifest = {}): Manifest {
  const backend = (version: string, weight: number) => ({ name: 'reviews', port, weight, podSelector: { matchLabels: { version } } });
  const header = (name: string) => [{ headers: [{ name, value: 'true' }] }];
  const rules = [
    { name: 'testers', matches: header('x-tester'), backendRefs: [backend('v2', 1)] },
    { name: 'v1', matches: header('x-all-v1'), backendRefs: [backend('v1', 1)] },
    { name: 'everybody', backendRefs: [backend('v1', v1), backend('v2', v2)] },
  ];
  return policy(namespace, 'reviews', 'reviews', { rules, ...stanzas });
}

/** Weft as the story sees it. */
interface Weft {
  readonly port: number;
  readonly adminPort: number;
  readonly logFile: string;
  readonly start: () => Promise<void>;
  readonly kill: () => Promise<void>;
}

interface Stage extends Weft {
  readonly manifests: string;
  /** Makes these the endpoints, and starts those that do not run yet. */
  readonly replicas: (...names: readonly string[]) => Promise<void>;
  /** Ends one. */
  readonly end: (name: string) => Promise<void>;
}

/** Weft with one Service, and two servers behind it. */
async function setStage(t: Cleanup): Promise<Stage> {
  const home = await temporaryFolder(t);
  const manifests = join(home, 'mesh');
  const logFile = join(home, 'weft.log');
  await mkdir(manifests);
  const [xds = 0, adminPort = 0] = await freePorts(2);
  const servers = new Map<string, EchoServer>();
  const end = async (name: string) => servers.get(name)?.close();
  t.after(async () => void (await Promise.all([...servers.keys()].map(end))));
  const replicas = async (...names: readonly string[]) => {
    for (const name of names) if (!servers.has(name)) servers.set(name, await startEcho(name));
    const members = names.map((name) => ({ pod: name, address: '127.0.0.1', port: servers.get(name)?.port ?? 0, labels: { version: name.slice(0, 2) } }));
    await put(manifests, 'endpoints', backends(namespace, 'reviews', 'api', members));
  };
  await put(manifests, 'service', [service(namespace, 'reviews', '10.96.0.1', [{ name: 'api', port, appProtocol: 'grpc' }])]);
  await replicas('v1-a', 'v2-a');
  let weft = await startWeft({ manifests, port: xds, adminPort, logFile });
  t.after(() => weft.kill());
  const start = async () => {
    weft = await startWeft({ manifests, port: xds, adminPort, logFile });
  };
  return { manifests, replicas, end, port: xds, adminPort, logFile, start, kill: () => weft.kill() };
}

/** The client is connected by SotW and has rejected nothing, now or before. */
async function checkStatus({ adminPort, logFile }: Weft): Promise<void> {
  const { proxies, rejections } = await fetchStatus(`127.0.0.1:${adminPort}`);
  assert.deepEqual(rejections, []);
  assert.doesNotMatch(await readFile(logFile, 'utf8'), /has rejected a resource/);
  const rows = proxies.map(({ proxy, variant, rejected }) => ({ proxy, variant, rejected }));
  assert.deepEqual(rows, [{ proxy: 'shop/web-1', variant: 'sotw', rejected: 0 }]);
}

/** The client's process, with a bootstrap that suits every language (grpc-js refuses a node without a locality). */
function startClient(t: Cleanup, [command = '', ...args]: readonly string[], weft: Weft, tolerated?: RegExp) {
  const xds_servers = [{ server_uri: `127.0.0.1:${weft.port}`, channel_creds: [{ type: 'insecure' }], server_features: ['xds_v3'] }];
  const GRPC_XDS_BOOTSTRAP_CONFIG = JSON.stringify({ xds_servers, node: { id: 'shop/web-1', locality: {} } });
  const child = spawn(command, [...args, `xds:///reviews.shop:${port}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, GRPC_XDS_BOOTSTRAP_CONFIG },
  });
  const gone = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await gone;
  });
  const lines = createInterface(child.stdout);
  /** One order at a time; every call has to succeed, but for `tolerable` errors. */
  const call = async (headers: Order['headers'], count: number, tolerable?: RegExp): Promise<Outcome['answers']> => {
    child.stdin.write(`${JSON.stringify({ count, headers })}\n`);
    const ended = gone.then(() => assert.fail('the client ended'));
    const [line] = await Promise.race([once(lines, 'line'), ended]);
    const { answers, errors }: Outcome = JSON.parse(line);
    const failures = errors.filter((error) => !tolerable?.test(error));
    assert.deepEqual(failures, [], `${failures.join('\n')}\n${await readFile(weft.logFile, 'utf8')}`);
    return answers;
  };
  const only = async (headers: Order['headers'], count: number, ...names: readonly string[]) => {
    assert.deepEqual(Object.keys(await call(headers, count)).sort(), [...names].sort());
  };
  /** Calls until twenty in a row are answered by these servers alone; a further eighty must be, and by each. */
  const until = async (headers: Order['headers'], ...names: readonly string[]) => {
    let answered = 0;
    while (answered < 20) {
      const answers = await call(headers, 20, tolerated);
      answered = names.reduce((sum, name) => sum + (answers[name] ?? 0), 0);
    }
    await only(headers, 80, ...names);
  };
  return { call, only, until };
}
