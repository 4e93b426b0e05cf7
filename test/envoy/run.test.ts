import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { startEnvoy } from '../../src/proxy/run.js';
import { envoyBinary, temporaryFolder, watchEnd } from '../support/envoy.js';
import { freePort } from '../support/port.js';

const onSocket = (path: string) => ({ admin: { address: { pipe: { path } } } });

test('an Envoy runs until it is stopped, and answers over a unix socket', async (t) => {
  const folder = await temporaryFolder(t);
  const logFile = join(folder, 'logs', 'envoy.log');
  const envoy = await startEnvoy({ binary: await envoyBinary(), bootstrap: onSocket(join(folder, 'admin.sock')), logFile });
  t.after(envoy.stop);
  await envoy.ready();
  assert.match(await envoy.admin('/server_info'), /"state": "LIVE"/);
  assert.match(await envoy.admin('/server_info'), /"concurrency": 1/);
  assert.equal(await envoy.admin('/healthcheck/fail', 'POST'), 'OK\n');
  await assert.rejects(envoy.admin('/nothing'), /answered GET \/nothing with 404/);
  assert.ok((await envoy.rss()) > 10 * 2 ** 20, 'more than 10 MiB');
  await envoy.stop();
  assert.equal(await envoy.exit, 0);
  assert.equal(typeof (await readFile(logFile, 'utf8')), 'string');
});

test('an Envoy answers over TCP, with arguments of its own', async (t) => {
  const port_value = await freePort();
  const bootstrap = { admin: { address: { socket_address: { address: '127.0.0.1', port_value } } } };
  const envoy = await startEnvoy({ binary: await envoyBinary(), bootstrap, args: ['--concurrency', '2'] });
  t.after(envoy.stop);
  await envoy.ready();
  assert.match(await envoy.admin('/server_info'), /"concurrency": 2/);
});

test('a bootstrap that Envoy refuses is reported with what Envoy said', async (t) => {
  const folder = await temporaryFolder(t);
  const bootstrap = { ...onSocket(join(folder, 'admin.sock')), no_such_field: true };
  for (const logFile of [undefined, join(folder, 'envoy.log')]) {
    const envoy = await startEnvoy({ binary: await envoyBinary(), bootstrap, logFile });
    await assert.rejects(envoy.ready(), /Envoy ended \(1\):[\s\S]*no_such_field/);
    assert.equal(await envoy.exit, 1);
  }
});

test('a binary that is not there is an error', async () => {
  await assert.rejects(startEnvoy({ binary: '/nonexistent/envoy', bootstrap: {} }), { code: 'ENOENT' });
});

test('without an admin address there is nothing to ask', async (t) => {
  const envoy = await startEnvoy({ binary: await envoyBinary(), bootstrap: {} });
  t.after(envoy.stop);
  await assert.rejects(envoy.admin('/ready'), /no admin address/);
});

/** Starts an Envoy and then waits for its end, saying when it is live. */
const parent = `
  const [run, binary, path] = process.argv.slice(1);
  const { startEnvoy } = await import(run);
  const envoy = await startEnvoy({ binary, bootstrap: { admin: { address: { pipe: { path } } } } });
  await envoy.ready();
  process.stdout.write('live\\n');
  process.stdin.once('end', () => process.exit(3)).resume();
`;

for (const end of ['exit', 'SIGKILL'] as const) {
  const supported = end === 'exit' || process.platform === 'linux';
  if (!supported) continue;
  test(`an Envoy ends with its parent (${end})`, async (t) => {
    const path = join(await temporaryFolder(t), 'admin.sock');
    const run = new URL('../../src/proxy/run.js', import.meta.url).href;
    const child = spawn(process.execPath, ['--input-type=module', '-e', parent, run, await envoyBinary(), path], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    await once(createInterface(child.stdout), 'line');
    const { gone } = await watchEnd(path);
    if (end === 'exit') child.stdin.end();
    else child.kill(end);
    await gone;
  });
}
