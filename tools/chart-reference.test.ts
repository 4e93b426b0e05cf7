import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { chartReference } from './chart-reference.js';

test('each value is listed with its path, its default and its comment', () => {
  const values = '# A count.\ncount: 2\ngroup:\n  # A group in it.\n  inner:\n    list: []\n    map: {}\n';
  const rows = chartReference(values)
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  assert.deepEqual(rows, [
    '| `count` | `2` | A count. |',
    '| `group.inner` |  | A group in it. |',
    '| `group.inner.list` | `[]` |  |',
    '| `group.inner.map` | `{}` |  |',
  ]);
});

test('the page is printed from the chart as it is', async () => {
  const page = chartReference(await readFile('charts/weft/values.yaml', 'utf8'));
  assert.equal(await readFile('docs/configuration.md', 'utf8'), page, 'docs/configuration.md is out of date: run npm run generate');
});
