import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVerdictCache } from './verdict-cache.js';

test('the least recently used goes first, and what is too old is gone', () => {
  let now = 0;
  const cache = createVerdictCache<string>(2, () => now);
  cache.set('a', 'A', 10);
  cache.set('b', 'B', 20);
  assert.equal(cache.get('a'), 'A');
  cache.set('c', 'C', 20);
  assert.deepEqual([cache.get('a'), cache.get('b'), cache.get('c')], ['A', undefined, 'C']);
  now = 10;
  assert.deepEqual([cache.get('a'), cache.get('c'), cache.size()], [undefined, 'C', 1]);
});
