/** A pod with IPv4 and IPv6 addresses is captured on both. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Manifest, meshObject, policy, put, slice } from '../support/manifests.js';
import { addresses, type CapturedMesh, seen, startCapturedMesh } from './captured-mesh.js';
import { externalAddress6, type NetworkPod } from './network.js';

const cleanups: (() => Promise<void>)[] = [];
let mesh: CapturedMesh;

const http = { name: 'http', port: 8080 };
const { plain, sided } = addresses;

const objects = [
  serviceAt('dual', ['10.96.2.1', 'fd99::a:1'], { name: 'http', port: 80 }),
  slice('shop', 'dual', http, [plain.v4]),
  slice('shop', 'dual', http, [plain.v6]),
  policy('shop', 'dual', 'dual', {
    rules: [{ filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-dual', value: 'yes' }] } }] }],
  }),
  serviceAt('six', ['fd99::a:2'], { name: 'http', port: 80 }),
  slice('shop', 'six', http, [sided.v6]),
  serviceAt('sql', ['fd99::a:3'], { name: 'mysql', port: 3306 }),
  slice('shop', 'sql', { name: 'mysql', port: 3306 }, [plain.v6]),
  serviceAt('broker6', ['fd99::a:4'], { name: 'amqp', port: 5672 }),
  slice('shop', 'broker6', { name: 'amqp', port: 50_051 }, [sided.v6]),
];

function serviceAt(name: string, clusterIPs: readonly string[], port: object): Manifest {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'shop' }, spec: { clusterIP: clusterIPs[0], clusterIPs, ports: [port] } };
}

before(async () => {
  mesh = await startCapturedMesh({ after: (hook) => void cleanups.push(hook) }, { objects });
});

after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

const greeting = async (pod: NetworkPod, address: string, port: number) => (await pod.run('tcp', { address, port, say: 'hello' }))[0];

test('a dual-stack Service is called at either address, and its policies hold', async () => {
  for (const address of ['10.96.2.1', 'fd99::a:1']) {
    const { app, headers } = await seen(mesh.client, { address, port: 80, headers: { host: 'dual.shop' } });
    assert.deepEqual([app, headers['host'], headers['x-dual']], ['plain', 'dual.shop', 'yes']);
  }
});

test('an inbound connection of IPv6 reaches the app through its sidecar', async () => {
  const { app, peer } = await seen(mesh.client, { address: 'fd99::a:2', port: 80 });
  assert.deepEqual([app, peer], ['sided', '::6']);
});

test('a server may speak first over IPv6', async () => {
  assert.equal(await greeting(mesh.client, 'fd99::a:3', 3306), `db greets ${mesh.client.address6}\n`);
});

test('an app can call its own Service over IPv6, and itself', async () => {
  assert.equal((await seen(mesh.sided, { address: 'fd99::a:2', port: 80 })).peer, '::6');
  assert.equal(await greeting(mesh.sided, 'fd99::a:4', 5672), 'queue greets ::6\n');
  assert.equal((await seen(mesh.sided, { address: mesh.sided.address6, port: 8080 })).peer, mesh.sided.address6);
  assert.equal((await seen(mesh.sided, { address: '::1', port: 8080 })).peer, '::1');
});

test('outside addresses of IPv6 are reached as without the mesh, and UDP is not captured', async () => {
  const { app, headers } = await seen(mesh.client, { address: externalAddress6, port: 80, headers: { host: 'any.example' } });
  assert.deepEqual([app, headers], ['outside', { host: 'any.example', connection: 'close' }]);
  assert.equal(await mesh.client.run('udp', { address: mesh.plain.address6, port: 53, say: 'hello' }), `${mesh.client.address6} said hello`);
});

test('RegistryOnly refuses outside addresses of IPv6 too', async () => {
  await put(mesh.manifests, 'egress', [meshObject({ egress: 'RegistryOnly' })]);
  const call = () => mesh.client.run('http', { address: externalAddress6, port: 80 });
  while ((await call()).status !== 502);
  assert.ok((await call()).body.includes(`[${externalAddress6}]:80`));
  assert.equal((await seen(mesh.client, { address: 'fd99::a:1', port: 80 })).app, 'plain');
});
