/** What an Envoy rejects harms nothing else, and everybody can see it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ask, startHttp } from '../support/http.js';
import { createMesh, eventually, type Mesh, type Sidecar } from '../support/mesh.js';

const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** What `weft status` prints, and its exit code. */
function weftStatus({ admin }: Mesh): Promise<{ readonly code: number; readonly text: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, 'status', '--admin', admin], (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, text: stdout + stderr }),
    );
  });
}

const set = (value: string) => [{ type: 'ResponseHeaderModifier', responseHeaderModifier: { set: [{ name: 'x-policy', value }] } }];
const toSelf = (name: string) => [{ name, port: 80 }];
const marked = (name: string, value: string) => ({ rules: [{ filters: set(value), backendRefs: toSelf(name) }] });

/** Weft takes it for small enough, as it counts a class of characters once; Envoy counts the bytes of all these characters. */
const huge = ['{1000}', '{1000}', '{900}'].map((count) => `[\\pL\\pN\\pS]${count}`).join('');

/** The header that the policy of a Service sets; undefined when the answer has none. */
async function policyOf({ port }: Sidecar, name: string): Promise<unknown> {
  const { status, headers } = await ask(port, `http://${name}.shop/`);
  assert.equal(status, 200);
  return headers['x-policy'];
}

const seen = (proxy: Sidecar, name: string, value: string) => eventually(async () => (await policyOf(proxy, name)) === value);
const rejected = (mesh: Mesh, count: number) => eventually(async () => (await mesh.status()).rejections.length === count);

test('a route that Envoy rejects', { timeout: 60_000 }, async (t) => {
  const mesh = await createMesh(t);
  for (const name of ['victim', 'bystander']) {
    await mesh.deploy({ name, members: [await startHttp(t, name)] });
    await mesh.policy(name, marked(name, 'one'));
  }
  await mesh.start();
  const proxy = await mesh.sidecar('web-1');
  for (const name of ['victim', 'bystander']) assert.equal(await policyOf(proxy, name), 'one');

  await mesh.policy('victim', {
    rules: [
      { name: 'huge', matches: [{ path: { type: 'RegularExpression', value: `/${huge}` } }] },
      { name: 'rest', filters: set('two'), backendRefs: toSelf('victim') },
    ],
  });
  await rejected(mesh, 1);

  await t.test('leaves the last good routes of its Service in place', async () => {
    for (let count = 0; count < 20; count++) assert.equal(await policyOf(proxy, 'victim'), 'one');
  });

  await t.test('does not stop the changes of other policies', async () => {
    await mesh.policy('bystander', marked('bystander', 'two'));
    await seen(proxy, 'bystander', 'two');
  });

  await t.test("does not stop the changes of its Service's endpoints", async () => {
    const [first, second] = [await startHttp(t, 'victim-a'), await startHttp(t, 'victim-b')];
    await mesh.deploy({ name: 'victim', members: [first, second] });
    await eventually(async () => (await policyOf(proxy, 'victim')) === 'one' && first.arrivals.length > 0 && second.arrivals.length > 0);
  });

  await t.test('is not sent again while it has not changed', async () => {
    const { traffic } = await mesh.settled(proxy.name);
    await mesh.policy('bystander', marked('bystander', 'three'));
    await seen(proxy, 'bystander', 'three');
    const after = await mesh.settled(proxy.name);
    assert.equal(after.traffic.responses - traffic.responses, 1);
  });

  await t.test('shows in weft status, with its policy, its stanza and the words of Envoy', async () => {
    const { code, text } = await weftStatus(mesh);
    assert.equal(code, 1, text);
    assert.match(text, /shop\/web-1 rejects VirtualHost out\/victim\.shop/);
    assert.match(text, /TrafficPolicy shop\/victim spec\.rules\[huge\]/);
    assert.match(text, /RE2 program size of \d+ > max program size of 32768/);
    assert.match(text, /^shop\/victim +1 +0 +1 +0/m);
    assert.match(text, /^shop\/bystander +1 +1 +0 +0/m);
  });

  await t.test('does not keep a proxy from the Service that starts only now', async () => {
    const late = await mesh.sidecar('web-2');
    await policyOf(late, 'victim');
    assert.equal(await policyOf(late, 'bystander'), 'three');
    await rejected(mesh, 2);
  });

  await t.test('does not keep proxies from it that connect to a Weft that knows of no better', async () => {
    await mesh.kill();
    await mesh.start();
    const later = await mesh.sidecar('web-3');
    await policyOf(later, 'victim');
    assert.equal(await policyOf(proxy, 'victim'), 'one');
  });

  await t.test('is forgotten once the policy is good', async () => {
    await mesh.policy('victim', marked('victim', 'four'));
    await seen(proxy, 'victim', 'four');
    await rejected(mesh, 0);
    const { code, text } = await weftStatus(mesh);
    assert.equal(code, 0, text);
    assert.doesNotMatch(text, /Rejected|rejects/);
  });
});

/** An Envoy that was built without the balancer of `ConsistentHash`. */
const withoutHash = ['--disable-extensions', 'envoy.load_balancing_policies/envoy.load_balancing_policies.ring_hash'];

test('a cluster that one Envoy rejects', { timeout: 60_000 }, async (t) => {
  const mesh = await createMesh(t);
  for (const name of ['victim', 'bystander']) await mesh.deploy({ name, members: [await startHttp(t, name)] });
  await mesh.start();
  const [proxy, whole] = [await mesh.sidecar('web-1', withoutHash), await mesh.sidecar('web-2')];
  const works = async ({ port }: Sidecar, name: string) => assert.equal((await ask(port, `http://${name}.shop/`)).status, 200);
  for (const each of [proxy, whole]) await works(each, 'victim');
  const hash = { loadBalancing: { type: 'ConsistentHash', consistentHash: { type: 'SourceIP' } } };
  await mesh.policy('victim', hash);
  await rejected(mesh, 1);

  await t.test('leaves it with the last good one', async () => {
    for (const each of [proxy, whole]) await works(each, 'victim');
  });

  await t.test('does not keep it from other Services', () => works(proxy, 'bystander'));

  await t.test('shows in weft status', async () => {
    const { code, text } = await weftStatus(mesh);
    assert.equal(code, 1, text);
    assert.match(text, /shop\/web-1 rejects Cluster victim\.shop:80/);
    assert.match(text, /TrafficPolicy shop\/victim spec\.loadBalancing/);
    assert.match(text, /No load balancer factory found for LB type: RING_HASH/);
    assert.match(text, /^shop\/victim +2 +1 +1 +0/m);
  });

  await t.test('does not keep a proxy of its kind from the Service that starts only now', async () => {
    await works(await mesh.sidecar('web-3', withoutHash), 'victim');
    await rejected(mesh, 2);
  });

  await t.test('is forgotten once there is no such policy', async () => {
    await mesh.removePolicy('victim');
    await rejected(mesh, 0);
    for (const each of [proxy, whole]) await works(each, 'victim');
    assert.equal((await weftStatus(mesh)).code, 0);
  });
});
