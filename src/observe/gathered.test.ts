import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGathered } from './gathered.js';

test('what repeats is told at once and, after a second, with how often it came; another thing is not lost in it', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const told: string[] = [];
  const add = createGathered<string>({ keyOf: (entry) => entry.slice(0, 1), tell: (entry, more) => told.push(`${entry}+${more}`) });
  for (let index = 1; index <= 1_000; index++) add(`a${index}`);
  add('b');
  assert.deepEqual(told, ['a1+0', 'b+0']);
  t.mock.timers.tick(1_000);
  assert.deepEqual(told.splice(0), ['a1+0', 'b+0', 'a1000+998']);
  t.mock.timers.tick(10_000);
  add('a');
  assert.deepEqual(told, ['a+0']);
});

test('a million different things a second make no more lines than a few, and their number is told', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const told: number[] = [];
  const add = createGathered<string>({ keyOf: (entry) => entry, tell: (_, more) => told.push(more + 1), most: 10 });
  for (let index = 0; index < 1_000_000; index++) add(String(index));
  t.mock.timers.tick(1_000);
  assert.equal(told.length, 11);
  assert.equal(
    told.reduce((sum, count) => sum + count, 0),
    1_000_000,
  );
});
