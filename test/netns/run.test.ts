import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startEnvoy } from '../../src/proxy/run.js';
import { type Cleanup, envoyBinary, temporaryFolder, watchEnd } from '../support/envoy.js';

const uid = 1337;
const ip = (...args: readonly string[]) => promisify(execFile)('ip', [...args]);

/** A network namespace that is removed after the test. */
async function namespace(t: Cleanup): Promise<string> {
  const name = `weft-run-${process.pid}`;
  await ip('netns', 'add', name);
  t.after(async () => {
    await ip('netns', 'delete', name);
  });
  return name;
}

async function folderOf(t: Cleanup): Promise<string> {
  const folder = await temporaryFolder(t);
  await chown(folder, uid, uid);
  return folder;
}

test('an Envoy runs in a network namespace, as another user, from a folder that this user may not open', async (t) => {
  const path = join(await folderOf(t), 'admin.sock');
  const netns = await namespace(t);
  const binary = join(await temporaryFolder(t), 'envoy');
  await copyFile(await envoyBinary(), binary);
  const envoy = await startEnvoy({ binary, bootstrap: { admin: { address: { pipe: { path } } } }, netns, uid });
  t.after(envoy.stop);
  await envoy.ready();
  assert.match(await readFile(`/proc/${envoy.pid}/status`, 'utf8'), /^Uid:\s+1337\s+1337\s+1337\s+1337$/m);
  const { stdout } = await ip('netns', 'identify', String(envoy.pid));
  assert.equal(stdout.trim(), netns);
});

const parent = `
  const [run, binary, path, netns] = process.argv.slice(1);
  const { startEnvoy } = await import(run);
  const envoy = await startEnvoy({ binary, bootstrap: { admin: { address: { pipe: { path } } } }, netns, uid: ${uid} });
  await envoy.ready();
  process.stdout.write('live\\n');
`;

test('as another user too it ends when its parent is killed', async (t) => {
  const path = join(await folderOf(t), 'admin.sock');
  const run = new URL('../../src/proxy/run.js', import.meta.url).href;
  const args = ['--input-type=module', '-e', parent, run, await envoyBinary(), path, await namespace(t)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(createInterface(child.stdout), 'line');
  const { gone } = await watchEnd(path);
  child.kill('SIGKILL');
  await gone;
});
