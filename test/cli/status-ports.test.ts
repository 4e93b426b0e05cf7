/** `weft status ports`, against a running Weft. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { put, service } from '../support/manifests.js';
import { createMesh } from '../support/mesh.js';

const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));

test('it shows the protocol of every port, and why, of one namespace or all', { timeout: 60_000 }, async (t) => {
  const mesh = await createMesh(t);
  await put(mesh.manifests, 'services', [
    service('shop', 'web', '10.96.0.1', [
      { name: 'web', port: 8080 },
      { name: 'api', port: 9000, appProtocol: 'grpc' },
    ]),
    service('data', 'db', 'None', [{ name: '', port: 5432 }]),
  ]);
  await mesh.start();
  const ports = async (...args: readonly string[]) =>
    (await promisify(execFile)(process.execPath, [main, 'status', 'ports', '--admin', mesh.admin, ...args])).stdout;
  assert.equal(
    await ports(),
    [
      'SERVICE   PORT  NAME  PROTOCOL  BECAUSE OF',
      'data/db   5432  -     TCP       port number 5432, PostgreSQL',
      'shop/web  8080  web   HTTP      port number 8080',
      'shop/web  9000  api   GRPC      appProtocol grpc',
      '',
    ].join('\n'),
  );
  assert.deepEqual(JSON.parse(await ports('-n', 'data', '-o', 'json')), {
    ports: [{ service: 'data/db', port: 5432, name: '', protocol: 'TCP', reason: 'port number 5432, PostgreSQL' }],
  });
});
