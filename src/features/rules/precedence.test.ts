import assert from 'node:assert/strict';
import test from 'node:test';
import { byPrecedence } from './precedence.js';
import type { Match } from './schema.js';

const prefix = (value: string): Match => ({ path: { type: 'PathPrefix', value } });
const header = { name: 'a', value: '1' };

/** From the most specific on; each must come before all that follow. */
const ladder: readonly Match[] = [
  { path: { type: 'Exact', value: '/a' } },
  { path: { type: 'RegularExpression', value: '/.*' } },
  prefix('/longer'),
  { ...prefix('/a'), method: 'GET' },
  { ...prefix('/a'), headers: [header, { name: 'b', value: '1' }] },
  { ...prefix('/a'), headers: [header], queryParams: [header] },
  { ...prefix('/a'), headers: [header] },
  { ...prefix('/a'), queryParams: [header] },
  prefix('/a'),
  {},
];

test('the more specific match comes first, wherever it is written', () => {
  const expected = ladder.map((match) => JSON.stringify(match));
  for (const order of [ladder, ladder.toReversed()]) {
    assert.deepEqual(
      byPrecedence(order.map((match) => ({ matches: [match] }))).map(({ match }) => JSON.stringify(match)),
      expected,
    );
    assert.deepEqual(
      byPrecedence([{ matches: [...order] }]).map(({ match }) => JSON.stringify(match)),
      expected,
    );
  }
});

test('equals keep the order of the rules, and a rule without matches matches everything', () => {
  assert.deepEqual(
    byPrecedence([{ name: 'one' }, { name: 'two', matches: [{}] }]).map(({ rule }) => rule.name),
    ['one', 'two'],
  );
});
