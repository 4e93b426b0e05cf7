import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeFeaturesIndex } from './features-index.js';

test('a folder with an index.ts is a stanza, in the order of the names', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'features-'));
  try {
    for (const name of ['retry', 'connection', 'empty']) await mkdir(join(dir, name));
    for (const name of ['retry', 'connection']) await writeFile(join(dir, name, 'index.ts'), '');
    await writeFile(join(dir, 'feature.ts'), '');
    assert.deepEqual(await writeFeaturesIndex(dir), ['connection', 'retry']);
    const text = await readFile(join(dir, 'gen', 'index.ts'), 'utf8');
    assert.match(text, /features = \[connection, retry\] as const/);
    assert.match(text, /import \{ feature as retry \} from '\.\.\/retry\/index\.js'/);
    assert.deepEqual(await writeFeaturesIndex(dir), ['connection', 'retry'], 'what it wrote is no stanza');
  } finally {
    await rm(dir, { recursive: true });
  }
});
