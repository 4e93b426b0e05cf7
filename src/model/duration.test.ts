import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDuration, toEnvoyDuration } from './duration.js';

test('a duration is the sum of its parts', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['0s', 0],
    ['0h0m0s', 0],
    ['10s', 10_000],
    ['250ms', 250],
    ['1h', 3_600_000],
    ['1m30s', 90_000],
    ['1h30m10s5ms', 5_410_005],
    ['10s30m1h', 5_410_000],
    ['500ms500ms', 1_000],
    ['99999h', 359_996_400_000],
  ];
  for (const [text, expected] of cases) assert.equal(parseDuration(text), expected, text);
});

test('what GEP-2257 forbids is not a duration', () => {
  const cases = ['', '1', 's', '-1s', '+1s', '1.5s', '1 s', '1us', '1ns', '1d', '100000s', '1s1s1s1s1s', '1s\n', ' 1s', '1S', 'ms'];
  for (const text of cases) {
    assert.equal(parseDuration(text), undefined, JSON.stringify(text));
    assert.equal(toEnvoyDuration(text), undefined, JSON.stringify(text));
  }
});

test('the form for Envoy is in seconds, exact to the millisecond', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['0s', '0s'],
    ['250ms', '0.25s'],
    ['1m30s', '90s'],
    ['1ms', '0.001s'],
    ['1h1ms', '3600.001s'],
  ];
  for (const [text, expected] of cases) assert.equal(toEnvoyDuration(text), expected, text);
});

test('no duration loses precision or takes an exponent in the form for Envoy', () => {
  const amount = fc.tuple(fc.integer({ min: 0, max: 99_999 }), fc.constantFrom('h', 'm', 's', 'ms')).map(([n, unit]) => `${n}${unit}`);
  fc.assert(
    fc.property(fc.array(amount, { minLength: 1, maxLength: 4 }), (parts) => {
      const text = parts.join('');
      const match = /^([0-9]+)(?:\.([0-9]{1,3}))?s$/.exec(toEnvoyDuration(text) ?? '');
      assert.ok(match, text);
      assert.equal(Number(match[1]) * 1_000 + Number((match[2] ?? '').padEnd(3, '0')), parseDuration(text));
    }),
  );
});
