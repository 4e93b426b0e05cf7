import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { applyPatch, type Operation } from 'rfc6902';
import { patchBetween } from './json-patch.js';

/** As an API server would: by somebody else's implementation, which takes nothing but what the standard says. */
function patched(before: unknown, after: unknown): unknown {
  const copy = structuredClone({ value: before });
  const operations: Operation[] = patchBetween({ value: before }, { value: after }).map((operation) => structuredClone(operation));
  assert.deepEqual(
    applyPatch(copy, operations).filter((error) => error !== null),
    [],
  );
  return copy.value;
}

const json = fc.letrec((value) => ({
  any: fc.oneof({ maxDepth: 4 }, fc.constantFrom(null, true, 0, 1, '', 'a'), fc.array(value('any'), { maxLength: 5 }), value('map')),
  map: fc.dictionary(fc.constantFrom('a', 'b', 'a/b', '~', 'c~1d'), value('any'), { noNullPrototype: true }),
})).any;

test('a patch leads from any value to any other', () => {
  fc.assert(fc.property(json, json, (before, after) => assert.deepEqual(patched(before, after), after)));
});

test('equal values need no patch, and what is equal in two lists is not repeated', () => {
  fc.assert(fc.property(json, (value) => assert.deepEqual(patchBetween(value, structuredClone(value)), [])));
  assert.deepEqual(patchBetween(['a', 'c'], ['a', 'b', 'c']), [{ op: 'add', path: '/1', value: 'b' }]);
  assert.deepEqual(patchBetween([{ a: 1, b: 1 }], [{ a: 1, b: 2 }]), [{ op: 'replace', path: '/0/b', value: 2 }]);
});

test('lists of many thousand items that all differ cost no more than to read them', () => {
  const list = (count: number, value: string) => Array.from({ length: count }, (_, index) => ({ name: `${value}${index}` }));
  // By the square this would be 400 million comparisons, and as many steps kept in memory.
  assert.equal(patchBetween(list(20_000, 'a'), list(20_000, 'b')).length, 20_000);
  assert.equal(patchBetween(list(20_000, 'a'), list(20_001, 'b')).length, 40_001);
});
