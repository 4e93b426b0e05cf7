import assert from 'node:assert/strict';
import test from 'node:test';
import { merge } from './merge.js';

test('fragments overlay the defaults field by field; lists are replaced', () => {
  const merged = merge<object>({ a: 1, b: { c: 1, d: [1, 2] } }, [{ a: 2 }, { b: { d: [3] } }, { e: 1 }]);
  assert.deepEqual(merged, { message: { a: 2, b: { c: 1, d: [3] }, e: 1 }, clashes: [] });
});

test('a field that two fragments set is named', () => {
  assert.deepEqual(merge<object>({}, [{ a: { b: 1, c: 1 } }, { a: { b: 2 } }]).clashes, ['a.b']);
});
