import assert from 'node:assert/strict';
import test from 'node:test';
import { createMemo } from './memo.js';

test('the same keys give the same result, others another', () => {
  const memo = createMemo<object>();
  const [a, b] = [{}, {}];
  const first = memo([a, 'x'], () => ({}));
  assert.equal(
    memo([a, 'x'], () => ({})),
    first,
  );
  for (const keys of [[b, 'x'], [a, 'y'], [a], [a, 'x', b], ['x', a]])
    assert.notEqual(
      memo(keys, () => ({})),
      first,
    );
});

test('texts that come and go are not remembered for ever', () => {
  const memo = createMemo<object>();
  const world = {};
  const first = memo([world, 'first'], () => ({}));
  for (let name = 0; name < 5000; name++) memo([world, `name-${name}`], () => ({}));
  assert.notEqual(
    memo([world, 'first'], () => ({})),
    first,
  );
});
