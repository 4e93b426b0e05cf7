/** An application of a dozen parts, on HTTP, gRPC, Redis, PostgreSQL, TCP and UDP, works unchanged without the mesh, in it, and half in it. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { call, get, seen } from './harness/calls.js';
import { connectionsTo, requestsTo } from './harness/envoy-stats.js';
import { exec, field, kubectl, logs, podsOf, waitFor } from './harness/kubectl.js';
import { makeNamespace } from './harness/namespace.js';
import { ensureInstalled } from './harness/release.js';
import { deployShop, type Meshed, shopApps } from './harness/shop.js';
import { story } from './harness/story.js';
import { until } from './harness/until.js';

/** The address from which a sidecar calls its own app. */
const sidecar = '127.0.0.6';
const none: Meshed = () => undefined;
/** Meshed parts call others, are called by others, and meshed by meshed. */
const half: Meshed = (app) => ['front', 'reviews', 'peers', 'redis', 'holder', 'report'].includes(app);

story('without the mesh', ['weft-test-plain'], async (t) => {
  const namespace = 'weft-test-plain';
  await makeNamespace(t, namespace, false);
  await deployShop(namespace, none);
  assert.equal(await sidecarsIn(namespace), 0);
  await works(t, namespace);
});

story('all of it in the mesh', ['weft-test-meshed'], async (t) => {
  const namespace = 'weft-test-meshed';
  await ensureInstalled();
  await makeNamespace(t, namespace, true);
  await deployShop(namespace, none);
  assert.equal(await sidecarsIn(namespace), shopApps.length - 1 + 2, 'every pod, two of which have a second replica, and the CronJob has none yet');
  await works(t, namespace);
  await t.test('and its calls went through the sidecars', async () => {
    const client = { namespace, pod: 'client' };
    const calls = [
      ['client', 'catalog', 80],
      ['client', 'front', 80],
      ['client', 'reviews', 50051],
      ['peers-0', 'peers', 8080],
    ] as const;
    for (const [pod, service, port] of calls)
      assert.ok((await requestsTo(namespace, pod, service, port)) > 0, `${pod} has called ${service} through its sidecar`);
    const connections = [
      ['db-client', 'redis', 6379],
      ['db-client', 'postgres', 5432],
      ['client', 'queue', 7000],
    ] as const;
    for (const [pod, service, port] of connections)
      assert.ok((await connectionsTo(namespace, pod, service, port)) > 0, `${pod} has a connection to ${service} through its sidecar`);
    const before = await requestsTo(namespace, 'client', 'catalog', 80);
    const { peer } = await seen(client, 'http://catalog/', { times: 50 });
    assert.equal(await requestsTo(namespace, 'client', 'catalog', 80), before + 50);
    assert.equal(peer, sidecar, 'and arrived through that of the catalog');
  });
});

story('half of it in the mesh', ['weft-test-half'], async (t) => {
  const namespace = 'weft-test-half';
  await ensureInstalled();
  await makeNamespace(t, namespace, true);
  await deployShop(namespace, half);
  assert.equal(await sidecarsIn(namespace), 6, 'front, reviews, redis, holder, and two peers');
  await works(t, namespace);
  await t.test('and each call was of the mesh where its end was', async () => {
    const [front = ''] = await podsOf(namespace, 'app=front');
    assert.ok((await requestsTo(namespace, front, 'catalog', 80)) > 0, 'a meshed caller of an unmeshed catalog');
    assert.equal((await seen({ namespace, pod: 'client' }, 'http://front/')).peer, sidecar, 'an unmeshed caller of a meshed front');
    assert.notEqual((await seen({ namespace, pod: front }, 'http://catalog/')).peer, sidecar);
  });
});

/** The number of pods with a sidecar. */
async function sidecarsIn(namespace: string): Promise<number> {
  const names = await kubectl(['-n', namespace, 'get', 'pods', '-o', 'jsonpath={.items[*].spec.initContainers[*].name}']);
  return names.split(' ').filter((name) => name === 'weft-proxy').length;
}

/** Everything that the application does. */
async function works(t: TestContext, namespace: string): Promise<void> {
  const client = { namespace, pod: 'client' };
  const [catalog = ''] = await podsOf(namespace, 'app=catalog');

  await t.test('HTTP by the short name and by the long one, with bodies, as it was written', async () => {
    assert.equal((await seen(client, 'http://catalog/items?id=7')).host, 'catalog');
    const long = `catalog.${namespace}.svc.cluster.local`;
    const { host, bodyLength, method, path } = await seen(client, `http://${long}/items?id=7`, { bodyLength: 300_000 });
    assert.deepEqual([host, bodyLength, method, path], [long, 300_000, 'POST', '/items?id=7']);
  });

  await t.test('one service calls another', async () => {
    const { status, body } = await get(client, `http://front/call?url=${encodeURIComponent('http://catalog/items')}`);
    assert.equal(status, 200, body);
    assert.equal(JSON.parse(body).path, '/items');
  });

  await t.test('a service calls itself by its own name', async () => {
    const pods = new Set<string>();
    await until('both replicas of the catalog', async () => pods.add((await seen({ namespace, pod: catalog }, 'http://catalog/')).pod).size === 2);
  });

  await t.test('gRPC', async () => {
    assert.equal(await call(client, { grpc: 'reviews:50051', say: 'hello' }), 'heard hello');
  });

  await t.test('pods of a headless StatefulSet call each other, and themselves, by name', async () => {
    const first = { namespace, pod: 'peers-0' };
    assert.equal((await seen(first, 'http://peers-1.peers:8080/')).pod, 'peers-1');
    assert.equal((await seen(first, 'http://peers-0.peers:8080/')).pod, 'peers-0');
    assert.equal((await seen(client, 'http://peers-1.peers:8080/')).pod, 'peers-1');
  });

  await t.test('Redis', async () => {
    const redis = (...args: readonly string[]) => exec(namespace, 'db-client', ['redis-cli', '-h', 'redis', ...args]);
    assert.equal((await redis('set', 'greeting', 'hello')).trim(), 'OK');
    assert.equal((await redis('get', 'greeting')).trim(), 'hello');
  });

  await t.test('PostgreSQL', async () => {
    const sql = 'create table if not exists items (id int); insert into items select generate_series(1, 1000); select count(*) > 0 from items';
    const output = await exec(namespace, 'db-client', ['psql', '-h', 'postgres', '-U', 'postgres', '-At', '-c', sql]);
    assert.match(output, /^t$/m);
  });

  await t.test('a server that speaks first is not waited for', async () => {
    const { greeting, echo, greetingMs } = await call<{ greeting: string; echo: string; greetingMs: number }>(client, { tcp: 'queue:7000', say: 'hello' });
    assert.deepEqual([greeting, echo], ['welcome', 'hello']);
    assert.ok(greetingMs < 5000, `greeted after ${greetingMs} ms`);
  });

  await t.test('UDP', async () => {
    assert.equal(await call(client, { udp: 'clock:5353', say: 'hello' }), 'heard hello');
  });

  await t.test('an address that is not of the mesh: the API server', async () => {
    const { status, body } = await get(client, 'https://kubernetes.default/version');
    assert.ok([200, 401, 403].includes(status), `${status} ${body}`);
  });

  await t.test('a job of a CronJob completes', async () => {
    await kubectl(['-n', namespace, 'create', 'job', 'report-now', '--from=cronjob/report']);
    await waitFor(namespace, 'job/report-now', 'condition=Complete', 60);
    const [pod = ''] = (await field(namespace, 'pods', '{.items[?(@.metadata.labels.job-name=="report-now")].metadata.name}')).split(' ');
    assert.equal(JSON.parse(await logs(namespace, pod)).status, 200);
  });

  await t.test('an init container has called the catalog before its app began', async () => {
    const [front = ''] = await podsOf(namespace, 'app=front');
    assert.equal(JSON.parse(await logs(namespace, front, 'ask')).status, 200);
  });

  await t.test('a long connection is still the first', async () => {
    const [holder = ''] = await podsOf(namespace, 'app=holder');
    const lines = (await logs(namespace, holder)).trim().split('\n');
    const [connection, answers] = (lines.at(-1) ?? '').split(' ');
    assert.equal(connection, '1');
    assert.ok(Number(answers) > 10, `${answers} answers`);
  });
}
