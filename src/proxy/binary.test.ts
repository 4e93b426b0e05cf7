import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import { envoyVersion, findEnvoy } from './binary.js';

const root = await mkdtemp(join(tmpdir(), 'weft-binary-'));
after(() => rm(root, { recursive: true, force: true }));

/** A script that says it is an Envoy of some version. */
async function pretend(folder: string, version: string): Promise<string> {
  const file = join(root, folder, 'envoy');
  await mkdir(join(root, folder), { recursive: true });
  await writeFile(file, `#!/bin/sh\necho "envoy  version: 0123abcd/${version}/Clean/RELEASE/BoringSSL"\n`);
  await chmod(file, 0o755);
  return file;
}

const progress = () => assert.fail('nothing is fetched');
const fetched = await pretend(`cache/envoy-${envoyVersion}`, envoyVersion);
const other = await pretend('other', '1.20.0');
const right = await pretend('right', envoyVersion);
const cache = join(root, 'cache');

test('the binary that is named is taken, whatever its version', async () => {
  assert.equal(await findEnvoy({ explicit: other, path: join(root, 'right'), cache, progress }), other);
});

test('a named binary that is not there is an error that says what to do', async () => {
  await assert.rejects(
    findEnvoy({ explicit: join(root, 'none'), cache, progress }),
    /ENVOY_BIN names .*none, which is not an executable file; correct it or unset it/,
  );
});

test('the path is searched for the right version, and what was fetched before comes last', async () => {
  assert.equal(await findEnvoy({ path: [join(root, 'other'), join(root, 'right')].join(delimiter), cache, progress }), right);
  assert.equal(await findEnvoy({ path: join(root, 'other'), cache, progress }), fetched);
  assert.equal(await findEnvoy({ cache, progress }), fetched);
});
