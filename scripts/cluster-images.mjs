/** The images that the cluster tests need: Weft's own, and those of the applications. */
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildAll, buildImages } from './images.mjs';

/** The context of the applications' image is put together here. */
const staged = '.cache/cluster-apps';

/** Builds them all and brings them to the cluster; resolves to the exit code. What is unchanged is taken from the builder's cache. */
export async function buildClusterImages() {
  const code = await buildImages();
  if (code !== 0) return code;
  await stageApps();
  return buildAll([
    { name: 'localhost/weft-test/apps:dev', options: [], context: staged },
    { name: 'localhost/weft-test/databases:dev', options: [], context: 'test/cluster/images/databases' },
  ]);
}

/** The compiled applications, what they import, and the lock file. */
async function stageApps() {
  await rm(staged, { recursive: true, force: true });
  await mkdir(staged, { recursive: true });
  for (const path of ['package.json', 'package-lock.json', 'dist/src/envoy', 'dist/test/cluster/apps']) {
    await cp(path, join(staged, path), { recursive: true, preserveTimestamps: true });
  }
  await cp('test/cluster/images/apps/Dockerfile', join(staged, 'Dockerfile'));
}
