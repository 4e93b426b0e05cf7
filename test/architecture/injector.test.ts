import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

const dist = new URL('../../src/', import.meta.url);
const statically = /^\s*(?:import|export)\s[^'"`;]*?from\s*['"](\.[^'"]+)['"]|^\s*import\s*['"](\.[^'"]+)['"]/gm;

/** Every file of the program that is loaded with this one, as compiled: types are no longer imported there. */
async function loadedWith(path: string, found: Map<string, string> = new Map()): Promise<ReadonlyMap<string, string>> {
  const url = new URL(path, dist);
  const text = await readFile(url, 'utf8');
  for (const [, named, bare] of text.matchAll(statically)) {
    const next = new URL(named ?? bare ?? '', url).href.slice(dist.href.length);
    if (found.has(next)) continue;
    found.set(next, path);
    await loadedWith(next, found);
  }
  return found;
}

test('neither the injector nor what starts it loads the compiler, the features or the xDS server', async () => {
  for (const path of ['main.js', 'commands/injector.js']) {
    const loaded = await loadedWith(path);
    const forbidden = [...loaded].filter(([file]) => /^(compile|features|snapshot|serve|status)\/|^controller\.js/.test(file));
    assert.deepEqual(
      forbidden.map(([file, by]) => `${by} loads ${file}`),
      [],
    );
  }
});

test('the search finds what is loaded', async () => {
  assert.ok((await loadedWith('commands/all.js')).has('compile/compiler.js'));
  assert.ok((await loadedWith('commands/injector.js')).has('inject/patch.js'));
});
