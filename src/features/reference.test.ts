import assert from 'node:assert/strict';
import { test } from 'node:test';
import { features } from './gen/index.js';
import { printReference } from './reference.js';

const lines = printReference().split('\n');

test('every stanza has a section that says whose proxies obey it', () => {
  for (const { name } of features) {
    const heading = lines.indexOf(`## ${name}`);
    assert.ok(heading > 0, name);
    assert.match(lines[heading + 2] ?? '', /(Client|Server) side/, name);
  }
});

test('a field is told with its type, bounds, default and description', () => {
  assert.ok(lines.includes('| `attempts` | whole number | 0 to 16 | `1` | How many times a call is tried again at most. 0: never. |'));
  assert.ok(lines.includes('| `window` | duration | 1ms to 1h | required | How long it takes until it gets its full share. |'));
});

test('objects within objects have a table of their own', () => {
  for (const path of ['spec.targetRefs[]', 'spec.rules[].matches[].path', 'spec.rules[].backendRefs[].podSelector', 'spec.retryConstraint.budget']) {
    assert.ok(lines.includes(`### ${path}`), path);
  }
});

test('every table has five columns', () => {
  const rows = lines.filter((line) => line.startsWith('|'));
  for (const row of rows) assert.equal(row.replaceAll('\\|', '').split('|').length, 7, row);
});
