/** Weft may be away: known hosts do not notice, a new host waits for it, and its return costs nothing that is not needed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, askMany, startHttp } from '../support/http.js';
import { createMesh } from '../support/mesh.js';

const known = ['reviews', 'ratings', 'catalog'];

test('Weft is killed and started again', { timeout: 60_000 }, async (t) => {
  const mesh = await createMesh(t);
  for (const name of [...known, 'fresh']) {
    const backends = await Promise.all([1, 2].map((number) => startHttp(t, `${name}-${number}`)));
    await mesh.deploy({ name, members: backends });
  }
  await mesh.policy('reviews', { timeouts: { request: '5s' }, retry: { attempts: 2 }, loadBalancing: { type: 'RoundRobin' } });
  await mesh.start();
  const [caller, other] = [await mesh.sidecar('web-1'), await mesh.sidecar('web-2')];
  const statusOf = async (port: number, name: string) => (await ask(port, `http://${name}.shop/`)).status;
  const callKnown = async (count: number) => {
    const calls = await askMany(count, 4, (index) => statusOf(index % 2 === 0 ? caller.port : other.port, known[index % known.length] ?? ''));
    assert.deepEqual(new Set(calls), new Set([200]));
  };
  await callKnown(24);
  const before = { caller: await mesh.settled(caller.name), other: await mesh.settled(other.name) };

  await mesh.kill();
  await t.test('while it is away, calls to known hosts succeed', () => callKnown(60));

  await t.test('a call to a new host waits, and succeeds within two seconds of its return', async (t) => {
    let answered = false;
    const waiting = statusOf(caller.port, 'fresh').finally(() => {
      answered = true;
    });
    await callKnown(60);
    assert.equal(answered, false);
    await mesh.start();
    const back = performance.now();
    assert.equal(await waiting, 200);
    const elapsed = performance.now() - back;
    t.diagnostic(`answered ${elapsed.toFixed(0)} ms after Weft was ready`);
    assert.ok(elapsed < 2000);
  });

  await t.test('whoever comes back is sent nothing that it has already', async (t) => {
    const after = await mesh.settled(caller.name, before.caller.synced + 3);
    const rest = await mesh.settled(other.name, before.other.synced);
    t.diagnostic(`sent to the caller of the new host: ${JSON.stringify(after.traffic)}, to the other: ${JSON.stringify(rest.traffic)}`);
    assert.ok(after.traffic.responses <= 3, 'a virtual host, a cluster and its endpoints');
    assert.deepEqual(rest.traffic.responses, 0);
  });
});

test('Weft is killed and started again, and nothing new is called', { timeout: 60_000 }, async (t) => {
  const mesh = await createMesh(t);
  for (const name of known) await mesh.deploy({ name, members: [await startHttp(t, name)] });
  await mesh.policy('reviews', { retry: { attempts: 2 } });
  await mesh.start();
  const proxy = await mesh.sidecar('web-1');
  for (const name of known) assert.equal((await ask(proxy.port, `http://${name}.shop/`)).status, 200);
  assert.equal((await ask(proxy.port, 'http://nobody.shop/')).status, 404);
  const before = await mesh.settled(proxy.name);
  assert.ok(before.traffic.responses > 0);
  await mesh.kill();
  await mesh.start();
  const after = await mesh.settled(proxy.name, before.synced);
  t.diagnostic(`first stream ${JSON.stringify(before.traffic)}, after the return ${JSON.stringify(after.traffic)}`);
  assert.equal(after.traffic.responses, 0);
});
