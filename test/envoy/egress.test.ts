/** An Envoy that is called as an HTTP proxy refuses names that the mesh does not know, and says why. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { test } from 'node:test';
import { ask, startHttp } from '../support/http.js';
import { meshObject, put, take } from '../support/manifests.js';
import { createMesh, eventually } from '../support/mesh.js';

async function connectTo(proxyPort: number, authority: string): Promise<number> {
  const connecting = request({ host: '127.0.0.1', port: proxyPort, method: 'CONNECT', path: authority, agent: false }).end();
  const [response, socket] = await once(connecting, 'connect');
  socket.destroy();
  return response.statusCode;
}

test('egress: RegistryOnly comes and goes under an explicit proxy', { timeout: 60_000 }, async (t) => {
  const mesh = await createMesh(t);
  await mesh.deploy({ name: 'reviews', members: [{ port: (await startHttp(t, 'reviews')).port }] });
  await mesh.start();
  const { port } = await mesh.sidecar('web-1');
  const statusOf = async (url: string) => (await ask(port, url)).status;
  assert.equal(await statusOf('http://unknown.example/'), 404);
  await put(mesh.manifests, 'egress', [meshObject({ egress: 'RegistryOnly' })]);
  await eventually(async () => (await statusOf('http://unknown.example/')) === 502);
  const { body } = await ask(port, 'http://unknown.example/');
  assert.match(body, /knows nothing of unknown\.example, and its egress is RegistryOnly/);
  assert.equal(await connectTo(port, 'unknown.example:443'), 502);
  assert.equal(await statusOf('http://reviews.shop/'), 200);
  await take(mesh.manifests, 'egress');
  await eventually(async () => (await statusOf('http://unknown.example/')) === 404);
  assert.equal(await statusOf('http://reviews.shop/'), 200);
});
