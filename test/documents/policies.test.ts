/** The objects of Weft that the pages under docs/ show are sound. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { parsers } from '../../src/commands/parsers.js';

/** What the blocks of YAML on a page hold. */
async function objectsOf(page: string): Promise<readonly unknown[]> {
  const blocks = (await readFile(page, 'utf8')).matchAll(/^```yaml$(.*?)^```$/gms);
  return [...blocks].flatMap(([, yaml = '']) => parseAllDocuments(yaml).map((document) => document.toJS()));
}

function isOurs(value: unknown): value is { readonly apiVersion: string; readonly kind: string } {
  return typeof value === 'object' && value !== null && 'kind' in value && 'apiVersion' in value && String(value.apiVersion).startsWith('weft.dev/');
}

test('policies on the pages are accepted as they stand there', async () => {
  const names = (await readdir('docs')).filter((name) => name.endsWith('.md'));
  const checked = new Set<string>();
  for (const name of names) {
    for (const object of (await objectsOf(join('docs', name))).filter(isOurs)) {
      const parser = parsers[`${object.apiVersion}/${object.kind}`] ?? assert.fail(`${name}: ${object.kind}`);
      assert.deepEqual(parser.parse(object).diagnostics, [], name);
      checked.add(name);
    }
  }
  for (const name of ['authorization.md', 'rate-limit.md']) assert.ok(checked.has(name), name);
});
