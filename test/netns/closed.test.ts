/** A Weft that is started over policies that it cannot read leaves nothing open, before real Envoys. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { policy, put } from '../support/manifests.js';
import { eventually } from '../support/mesh.js';
import { httpPort, serverAddress, startIdentityMesh } from './identity-mesh.js';

const unreadable = { authorization: { rules: [{ name: 'a', action: 'Dney' }] } };

test('after a restart calls to what an unreadable policy protects are denied until it can be read; while Weft runs, its last good version holds', {
  timeout: 120_000,
}, async (t) => {
  const { client, weft, ca } = await startIdentityMesh(t, []);
  const manifests = join(ca, '..', 'mesh');
  const write = (...specs: readonly Readonly<Record<string, unknown>>[]) =>
    put(
      manifests,
      'policies',
      specs.map((spec, index) => policy('shop', `p${index}`, 'server', spec)),
    );
  const status = async () => (await client.run('http', { address: serverAddress, port: httpPort })).status;
  const answers = (expected: number) => eventually(async () => (await status()) === expected);
  await answers(200);

  await weft.kill();
  await write(unreadable, { authorization: { rules: [{ name: 'everybody' }] } });
  await weft.start();
  await answers(403);

  await write({ authorization: { rules: [{ name: 'everybody' }] } });
  await answers(200);

  await write(unreadable);
  // The diagnostic is in the log before the change that belongs to it; a second policy that takes effect comes after both.
  await write(unreadable, { authorization: { rules: [{ name: 'nobody-else', action: 'Deny', matches: [{ path: { value: '/secret' } }] }] } });
  await eventually(async () => (await client.run('http', { address: serverAddress, port: httpPort, path: '/secret' })).status === 403);
  assert.equal(await status(), 200);
});
