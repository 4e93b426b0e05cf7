/** What one replica of a workload has learned, the others know; another workload is told nothing of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, startHttp } from '../support/http.js';
import { createMesh, type Mesh } from '../support/mesh.js';

const calls = async (mesh: Mesh, name: string) => (await mesh.settled(name)).traffic;

test('a scope is shared by the replicas of a workload, and by nobody else', { timeout: 60_000 }, async (t) => {
  const mesh = await createMesh(t);
  const backend = await startHttp(t, 'reviews');
  await mesh.deploy({ name: 'reviews', members: [{ port: backend.port }] });
  await mesh.start();
  const first = await mesh.sidecar('web-1', [], 'web');
  const other = await mesh.sidecar('cart-1', [], 'cart');
  const otherBefore = await calls(mesh, 'cart-1');
  assert.equal((await ask(first.port, 'http://reviews.shop/')).status, 200);

  await t.test('a new replica starts warm: its first call costs no message', async () => {
    const late = await mesh.sidecar('web-2', [], 'web');
    const before = await calls(mesh, 'web-2');
    assert.equal((await ask(late.port, 'http://reviews.shop/')).status, 200);
    assert.deepEqual(await calls(mesh, 'web-2'), before);
  });

  await t.test('another workload has been sent nothing', async () => {
    assert.deepEqual(await calls(mesh, 'cart-1'), otherBefore);
    assert.equal((await ask(other.port, 'http://reviews.shop/')).status, 200);
  });
});
