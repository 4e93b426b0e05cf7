import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { watchNatively } from './native.js';

/** Watches a new folder that `fill` has filled; `next` resolves to the next event: the path of a file, or `folder`. */
async function watched(context: TestContext, fill: (dir: string) => Promise<void>) {
  const dir = await mkdtemp(join(tmpdir(), 'weft-native-'));
  context.after(() => rm(dir, { recursive: true, force: true }));
  await fill(dir);
  const heard: string[] = [];
  let wake: () => void = () => undefined;
  const note = (what: string) => {
    heard.push(what);
    wake();
  };
  const before = watches();
  await new Promise<void>((resolve, reject) => {
    const end = watchNatively(dir, { file: note, folder: () => note('folder'), ready: resolve, error: reject });
    context.after(end);
  });
  const until = async (what: string) => {
    while (!heard.includes(what)) await new Promise<void>((resolve) => (wake = resolve));
    heard.length = 0;
  };
  return { dir, until, count: () => watches() - before };
}

/** How many watches of the file system this process holds. */
function watches(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'FSEventWrap').length;
}

test('there is one watch for each folder, however many files there are', async (context) => {
  const { count, until, dir } = await watched(context, async (folder) => {
    await mkdir(join(folder, 'inner'));
    for (let index = 0; index < 30; index++) await writeFile(join(folder, 'inner', `${index}.yaml`), '');
  });
  assert.equal(count(), 2);
  await writeFile(join(dir, '.new'), '');
  await rename(join(dir, '.new'), join(dir, 'inner', '7.yaml'));
  await until('inner/7.yaml');
});

test('a folder that comes later is watched, and one that goes no longer is', async (context) => {
  const { count, until, dir } = await watched(context, async () => undefined);
  await mkdir(join(dir, 'late'));
  await until('folder');
  await writeFile(join(dir, 'late', 'a.yaml'), '');
  await until('late/a.yaml');
  assert.equal(count(), 2);
  await rm(join(dir, 'late'), { recursive: true });
  await until('folder');
  // A turn of the event loop drops closed watches at its very end, so after one is over.
  for (let turn = 0; turn < 2; turn++) await setImmediate();
  assert.equal(count(), 1);
});

test('a link to a folder on the way is not followed round and round', async (context) => {
  const { count } = await watched(context, async (folder) => {
    await mkdir(join(folder, 'a'));
    await symlink('..', join(folder, 'a', 'up'));
  });
  // The folder, a, and the folder once more by the link.
  assert.equal(count(), 3);
});
