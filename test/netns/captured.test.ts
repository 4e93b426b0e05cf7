/** What an app notices of the mesh when its traffic is captured: nothing but what was asked for. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { backends, policy, put, service } from '../support/manifests.js';
import { type CapturedMesh, seen, startCapturedMesh } from './captured-mesh.js';
import { excludedAddress, externalAddress } from './network.js';

const web = '10.96.0.10';
const excluded = 8025;

const cleanups: (() => Promise<void>)[] = [];
let mesh: CapturedMesh;

before(async () => {
  mesh = await startCapturedMesh(
    { after: (hook) => void cleanups.push(hook) },
    { redirect: { excludeOutboundPorts: [excluded], excludeOutboundCidrs: [`${excludedAddress}/32`] } },
  );
});

/** Processes before the namespaces that they are in: the last made is the first to go. */
after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

async function counter(name: string): Promise<number> {
  const [, value] = /: (\d+)/.exec(await mesh.clientEnvoy.admin(`/stats?filter=^${name}$`)) ?? [];
  assert.ok(value !== undefined, name);
  return Number(value);
}

test('a chunked body of 400 kB arrives with the very first request', async () => {
  const { bodyLength, app } = await seen(mesh.client, { address: web, port: 80, bodyLength: 400_000, chunked: true });
  assert.deepEqual([app, bodyLength], ['plain', 400_000]);
});

test('a body of 400 kB arrives with the first request to another Service', async () => {
  const { bodyLength, app } = await seen(mesh.client, { address: '10.96.0.11', port: 80, bodyLength: 400_000 });
  assert.deepEqual([app, bodyLength], ['sided', 400_000]);
});

test('any Host is let through as it was written, and the app sees no header of the mesh', async () => {
  for (const host of ['web.shop', 'anything.example:8443', `${web}:80`, 'WEB']) {
    const { headers, app } = await seen(mesh.client, { address: web, port: 80, headers: { host, 'x-own': 'kept', 'x-weft-host': 'kept too' } });
    assert.deepEqual([app, headers['x-own'], headers['x-weft-host']], ['plain', 'kept', 'kept too']);
    assert.equal(headers['host'], host);
    const allowed = new Set(['host', 'x-own', 'x-weft-host', 'connection', 'x-request-id', 'x-forwarded-proto']);
    assert.deepEqual(
      Object.keys(headers).filter((name) => !allowed.has(name)),
      [],
    );
  }
});

test('a Host header does not lead to another Service', async () => {
  for (const host of ['sided.shop', '10.96.0.11', '10.96.0.11:80'])
    assert.equal((await seen(mesh.client, { address: web, port: 80, headers: { host } })).app, 'plain');
});

test('a further request costs no message to or from Weft', async () => {
  await seen(mesh.client, { address: web, port: 80 });
  const bytes = async () => (await counter('cluster.xds.upstream_cx_tx_bytes_total')) + (await counter('cluster.xds.upstream_cx_rx_bytes_total'));
  const before = await bytes();
  await seen(mesh.client, { address: web, port: 80, headers: { host: 'never.seen.before' } });
  const keepalive = 150;
  assert.ok((await bytes()) - before < keepalive);
});

test('a redirect shows the Host of the app, not an address', async () => {
  const { status, headers } = await mesh.client.run('http', { address: web, port: 80, path: '/old', headers: { host: 'web.shop' } });
  assert.equal(status, 302);
  assert.equal(headers['location'], 'http://web.shop/new');
});

test('a pod called by its own address is in the mesh, and is the one that answers', async () => {
  for (const [pod, app] of [
    [mesh.plain, 'plain'],
    [mesh.sided, 'sided'],
  ] as const) {
    const { headers, ...rest } = await seen(mesh.client, { address: pod.address, port: 8080, headers: { host: 'peers.shop' } });
    assert.equal(rest.app, app);
    assert.equal(headers['x-peer'], 'yes');
    assert.equal(headers['host'], 'peers.shop');
  }
});

test('an inbound connection reaches the app through its sidecar', async () => {
  assert.equal((await seen(mesh.client, { address: '10.96.0.11', port: 80 })).peer, '127.0.0.6');
  assert.equal((await seen(mesh.client, { address: web, port: 80 })).peer, mesh.client.address);
});

test('an app can call its own Service, and itself', async () => {
  assert.equal((await seen(mesh.sided, { address: '10.96.0.11', port: 80 })).app, 'sided');
  assert.equal((await seen(mesh.sided, { address: '127.0.0.1', port: 8080 })).peer, '127.0.0.1');
  assert.equal((await seen(mesh.sided, { address: mesh.sided.address, port: 8080 })).peer, mesh.sided.address);
});

test('an app can call its own Service over TCP too, and itself as an endpoint of a headless one', async () => {
  const greeting = async (address: string, port: number) => (await mesh.sided.run('tcp', { address, port, say: 'hello' }))[0];
  assert.equal(await greeting('10.96.0.17', 5672), 'queue greets 127.0.0.6\n');
  assert.equal(await greeting(mesh.sided.address, 50051), `queue greets ${mesh.sided.address}\n`);
  assert.equal(await greeting('127.0.0.1', 50051), 'queue greets 127.0.0.1\n');
});

test('raw TCP works, and a server may speak first, whatever address it is called by', async () => {
  const connections = () => counter('cluster.out.db.shop.3306.upstream_cx_total');
  for (const address of ['10.96.0.12', '10.96.0.12', mesh.plain.address]) {
    const [banner, echoed] = await mesh.client.run('tcp', { address, port: 3306, say: 'hello' });
    assert.deepEqual([banner, echoed], [`db greets ${mesh.client.address}\n`, 'hello']);
  }
  assert.equal(await connections(), 3, 'all of them as calls of the Service');
});

test('a server may speak first on a port that is HTTP elsewhere', async () => {
  const [banner] = await mesh.client.run('tcp', { address: '10.96.0.15', port: 80, say: 'hello' });
  assert.equal(banner, `db greets ${mesh.client.address}\n`);
});

test('a headless Service is called at the numbers of its endpoints, whatever they are elsewhere', async () => {
  const [banner] = await mesh.client.run('tcp', { address: mesh.sided.address, port: 50051, say: 'hello' });
  assert.match(banner ?? '', /^queue greets /);
  assert.equal((await seen(mesh.client, { address: mesh.plain.address, port: 8081 })).headers['x-api'], 'yes');
});

test('WebSocket and gRPC work', async () => {
  assert.equal(await mesh.client.run('webSocket', { url: `ws://${web}/chat`, host: 'web.shop', say: 'hello' }), 'plain heard hello');
  assert.equal(await mesh.client.run('callGrpc', { target: '10.96.0.13:50051', say: 'hello' }), 'grpc heard hello');
});

test('addresses that the mesh does not know are reached as without it', async () => {
  const headers = { host: 'web.shop' };
  const first = await seen(mesh.client, { address: mesh.stranger.address, port: 80, headers });
  assert.deepEqual([first.app, first.headers['host']], ['stranger', 'web.shop']);
  const [banner] = await mesh.client.run('tcp', { address: mesh.stranger.address, port: 9999, say: 'hello' });
  assert.equal(banner, `stranger greets ${mesh.client.address}\n`);
  const outside = await seen(mesh.client, { address: externalAddress, port: 80, headers });
  assert.deepEqual([outside.app, outside.headers], ['outside', { host: 'web.shop', connection: 'close' }]);
});

test('an excluded port is not captured', async () => {
  const captured = () => counter('listener.0.0.0.0_15001.downstream_cx_total');
  const before = await captured();
  const [banner] = await mesh.client.run('tcp', { address: externalAddress, port: excluded, say: 'hello' });
  assert.equal(banner, `outside greets ${mesh.client.address}\n`);
  assert.equal(await captured(), before);
  await seen(mesh.client, { address: externalAddress, port: 80 });
  assert.equal(await captured(), before + 1);
});

test('an excluded range is not captured', async () => {
  const captured = () => counter('listener.0.0.0.0_15001.downstream_cx_total');
  const before = await captured();
  assert.equal((await seen(mesh.client, { address: excludedAddress, port: 80 })).peer, mesh.client.address);
  assert.equal(await captured(), before);
});

test('an excluded port of the pod is reached directly', async () => {
  assert.equal((await seen(mesh.client, { address: mesh.sided.address, port: 9100 })).peer, mesh.client.address);
});

test('UDP is not captured, of DNS or anything else', async () => {
  for (const pod of [mesh.client, mesh.sided])
    assert.equal(await pod.run('udp', { address: mesh.plain.address, port: 53, say: 'hello' }), `${pod.address} said hello`);
});

test('an address that was none of the mesh follows its policies once it is', async () => {
  const { address } = mesh.stranger;
  const call = () => seen(mesh.client, { address, port: 80 });
  assert.equal((await call()).headers['x-new'], undefined);
  const filters = [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-new', value: 'yes' }] } }];
  await put(mesh.manifests, 'new', [
    service('shop', 'new', 'None', [{ name: 'http', port: 80 }]),
    ...backends('shop', 'new', 'http', [{ pod: 'new', address, port: 80 }]),
    policy('shop', 'new', 'new', { rules: [{ filters, backendRefs: [{ name: 'new', port: 80 }] }] }),
  ]);
  while ((await call()).headers['x-new'] === undefined);
  assert.equal((await call()).app, 'stranger');
});

test('a further HTTP port drains no connection', async () => {
  const updates = () => counter('listener_manager.listener_in_place_updated');
  const before = await updates();
  await put(mesh.manifests, 'port', [
    service('shop', 'port', '10.96.0.16', [{ name: 'http', port: 8099 }]),
    ...backends('shop', 'port', 'http', [{ pod: 'port', address: mesh.plain.address, port: 8080 }]),
  ]);
  while ((await updates()) === before);
  await seen(mesh.client, { address: '10.96.0.16', port: 8099 });
  assert.equal(await counter('cluster.out.port.shop.8099.upstream_rq_2xx'), 1, 'called as HTTP');
  for (const what of ['total_filter_chains_draining', 'total_listeners_draining']) assert.equal(await counter(`listener_manager.${what}`), 0, what);
});

test('who calls the ports of a sidecar itself is let go, and has it call itself no further', async () => {
  for (const port of [15_001, 15_006]) {
    for (const [name, pod] of Object.entries({ inside: mesh.client, outside: mesh.stranger })) {
      await pod.run('open', { name, address: mesh.client.address, port });
      assert.equal(await pod.run('untilClosed', { name }), '');
      await pod.run('close', { name });
    }
  }
  for (const cluster of ['inbound', 'passthrough']) assert.ok((await counter(`cluster.${cluster}.upstream_cx_total`)) < 20, cluster);
});

test('while Weft is away what is known works, and a first connection waits for its return', async () => {
  await mesh.killWeft();
  assert.equal((await seen(mesh.client, { address: web, port: 80 })).app, 'plain');
  const waiting = mesh.client.run('tcp', { address: '10.96.0.14', port: 3306, say: 'hello' });
  const known = mesh.client.run('tcp', { address: '10.96.0.12', port: 3306, say: 'hello' });
  assert.equal(await Promise.race([waiting.then(() => 'late'), known.then(() => 'db')]), 'db');
  await mesh.startWeft();
  assert.deepEqual(await waiting, [`late greets ${mesh.client.address}\n`, 'hello']);
});
