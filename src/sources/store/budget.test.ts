import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyOf } from '../../model/name.js';
import type { TrafficPolicy } from '../../model/policy.js';
import { createBudgetTable } from './budget.js';

/** A policy of a day of January whose stanzas have so many characters. */
function policy(name: string, day: number, characters = 2, namespace = 'shop'): TrafficPolicy {
  const creationTimestamp = `2026-01-0${day}T00:00:00Z`;
  const stanzas = characters > 2 ? { a: 'x'.repeat(characters - '{"a":""}'.length) } : {};
  return { key: keyOf(namespace, name), namespace, name, creationTimestamp, generation: 1, targetRefs: [], mode: 'Enforce', stanzas };
}

/** A table of three policies or 100 characters; those that do not count are stood in for by one with their names. */
function setUp() {
  const asked: string[][] = [];
  const standIn = (left: readonly TrafficPolicy[]) => {
    asked.push(left.map(({ name }) => name));
    return { ...policy('stand-in', 1), name: `instead of ${left.map(({ name }) => name)}` };
  };
  const table = createBudgetTable(standIn, { policies: 3, characters: 100, remembered: 300 });
  const forgotten: string[] = [];
  const inForce = new Map<TrafficPolicy, string>();
  const settle = () => {
    table.settle({
      changed: (before, after) => {
        if (before) assert.ok(inForce.delete(before), `${before.name} was in force`);
        if (after) inForce.set(after, after.name);
      },
      forgotten: ({ name, stanzas }) => void forgotten.push(`${name} ${JSON.stringify(stanzas)}`),
    });
    return [...inForce.values()].sort();
  };
  return { table, settle, asked, forgotten };
}

test('the oldest of a namespace count; the others do when there is room again, and something stands in for them meanwhile', () => {
  const { table, settle, asked } = setUp();
  const all = [policy('new', 5), policy('a', 1), policy('b', 2), policy('c', 3), policy('d', 4)] as const;
  for (const each of all) table.replace(undefined, each);
  table.replace(undefined, policy('other', 9, 2, 'bank'));
  assert.deepEqual(settle(), ['a', 'b', 'c', 'instead of d,new', 'other']);
  assert.deepEqual(table.left(), ['shop/d', 'shop/new']);
  const [, , b] = all;
  const changed = { ...b, generation: 2 };
  table.replace(b, changed);
  assert.deepEqual(settle(), ['a', 'b', 'c', 'instead of d,new', 'other']);
  assert.equal(asked.length, 1, 'what stands in stays the same while those that it stands for do');
  table.replace(changed, undefined);
  assert.deepEqual(settle(), ['a', 'c', 'd', 'instead of new', 'other']);
  table.replace(all[0], undefined);
  assert.deepEqual([settle(), table.left()], [['a', 'c', 'd', 'other'], []]);
});

test('of those that do not count so much is remembered; the others count again only when they are read anew', () => {
  const { table, settle, forgotten } = setUp();
  const [a, b, c, d] = [policy('a', 1, 60), policy('b', 2, 90), policy('c', 3, 200), policy('d', 4, 300)];
  for (const each of [a, b, c, d]) table.replace(undefined, each);
  assert.deepEqual([settle(), forgotten], [['a', 'instead of b,c,d'], ['d {"a":{}}']]);
  for (const each of [a, b, c]) table.replace(each, undefined);
  assert.deepEqual([settle(), table.left()], [['instead of d'], ['shop/d']]);
  const mended = policy('d', 4, 50);
  table.replace(d, mended);
  assert.deepEqual([settle(), table.left()], [['d'], []]);
});

test('their size counts too, and nothing younger slips past one that is too large', () => {
  const { table, settle } = setUp();
  for (const each of [policy('a', 1, 60), policy('large', 2, 60), policy('small', 3, 10)]) table.replace(undefined, each);
  assert.deepEqual(settle(), ['a', 'instead of large,small']);
});
