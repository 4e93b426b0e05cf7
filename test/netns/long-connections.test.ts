/** Connections that an app holds open while policies and endpoints change around them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { backends, type Manifest, policy, put, service } from '../support/manifests.js';
import { addresses, type CapturedMesh, quickDrain, startCapturedMesh } from './captured-mesh.js';

const cleanups: (() => Promise<void>)[] = [];
let mesh: CapturedMesh;

const tcp = { address: '10.96.1.1', port: 5672 };
const http = { address: '10.96.1.2', port: 80 };

before(async () => {
  mesh = await startCapturedMesh({ after: (hook) => void cleanups.push(hook) }, { args: quickDrain, objects: twoServices('plain') });
  await mesh.client.run('open', { name: 'tcp', ...tcp });
  await mesh.client.run('exchange', { name: 'tcp', say: '', until: '\n' });
  await mesh.client.run('open', { name: 'http', ...http });
});

after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

/** TCP and HTTP, both with one of the pods behind them. */
function twoServices(pod: 'plain' | 'sided'): readonly Manifest[] {
  const address = addresses[pod].v4;
  return [
    service('shop', 'stream', tcp.address, [{ name: 'amqp', port: tcp.port }]),
    ...backends('shop', 'stream', 'amqp', [{ pod, address, port: pod === 'plain' ? 3306 : 50_051 }]),
    service('shop', 'site', http.address, [{ name: 'http', port: http.port }]),
    ...backends('shop', 'site', 'http', [{ pod, address, port: 8080 }]),
  ];
}

const echoed = () => mesh.client.run('exchange', { name: 'tcp', say: 'still there?', until: 'still there?' });
const answered = () => mesh.client.run('exchange', { name: 'http', say: 'GET / HTTP/1.1\r\nhost: site.shop\r\n\r\n', until: '}' });
const fresh = async () => (await mesh.client.run('tcp', { ...tcp, say: 'hello' }))[0] ?? '';

async function assertBothGoOn(app: string): Promise<void> {
  await echoed();
  const answer = await answered();
  assert.match(answer, /^HTTP\/1.1 200 OK\r\n/);
  assert.ok(answer.includes(`"app":"${app}"`), answer);
  assert.doesNotMatch(answer, /^connection: close/im);
}

test('they go on while policies for them come, change and go', async () => {
  await assertBothGoOn('plain');
  for (const value of ['one', 'two']) {
    const filters = [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-policy', value }] } }];
    await put(mesh.manifests, 'long-policies', [
      policy('shop', 'stream', 'stream', { circuitBreaker: { maxConnections: value === 'one' ? 10 : 20 } }),
      policy('shop', 'site', 'site', { rules: [{ filters, backendRefs: [{ name: 'site', port: 80 }] }], connection: { connectTimeout: `${value.length}s` } }),
    ]);
    while (!(await answered()).includes(`"x-policy":"${value}"`));
    await assertBothGoOn('plain');
  }
});

test('they go on while a Service with a new HTTP port changes the listener', async () => {
  const updates = async () => mesh.clientEnvoy.admin('/stats?filter=^listener_manager.listener_in_place_updated$');
  const before = await updates();
  await put(mesh.manifests, 'another', [service('shop', 'another', '10.96.1.3', [{ name: 'http', port: 8097 }])]);
  while ((await updates()) === before);
  await assertBothGoOn('plain');
});

test('when their endpoint leaves, the next request and the next connection go elsewhere, and the connection that exists goes on', async () => {
  await put(mesh.manifests, 'more', twoServices('sided'));
  while (!(await answered()).includes('"app":"sided"'));
  while (!(await fresh()).startsWith('queue greets '));
  await assertBothGoOn('sided');
});

test('they go on while Weft is started anew', async () => {
  await mesh.killWeft();
  await assertBothGoOn('sided');
  await mesh.startWeft();
  await assertBothGoOn('sided');
});
