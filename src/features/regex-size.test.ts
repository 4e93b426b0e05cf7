import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { isAffordable } from './regex.js';
import { sizeOfRegex } from './regex-size.js';

const atom = fc.constantFrom('a', '.', '\\d', '\\.', '[a-z]', '[^]a]', '[\\]x]', '[[:alpha:]]', '\\pL', '\\p{Greek}', '\\x{1000}', '\\Qa{9}\\E');
const count = fc.constantFrom('', '', '*', '+?', '{3}', '{0,5}', '{2,}', '{40}');
const { expression } = fc.letrec<{ expression: string; piece: string }>((tie) => ({
  expression: fc.array(tie('piece'), { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join('')),
  piece: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.tuple(atom, count).map(([one, times]) => one + times),
    fc.tuple(tie('expression'), fc.constantFrom('', '{3}', '?')).map(([inner, times]) => `(${inner}|b)${times}`),
  ),
}));

/** Undefined where repeat counts within each other are too large for RE2. */
function programSize(text: string): number | undefined {
  try {
    return RE2JS.compile(text).programSize();
  } catch {
    return undefined;
  }
}

test('the estimate is the size of the program, or a few times as much', () => {
  fc.assert(
    fc.property(expression, (text) => {
      const size = programSize(text);
      fc.pre(size !== undefined);
      const { instructions } = sizeOfRegex(text);
      assert.ok(instructions + 3 >= size * 0.6 && instructions <= size * 4 + 3, `${text}: ${instructions} for ${size}`);
    }),
  );
});

test('classes of Unicode are counted', () => {
  assert.equal(sizeOfRegex('\\pL[\\PN\\p{Greek}]p').classes, 3);
});

test('what is no expression has a size, too', () => {
  for (const text of ['', '(', ')', '[', '{3}', '\\', '(?', ')(', 'a{99999999999}']) assert.ok(sizeOfRegex(text).instructions >= 0, text);
});

test('many expressions are affordable unless they are large', () => {
  assert.ok(isAffordable(Array.from({ length: 400 }, () => '/v[0-9]+/users/[^/]+')));
  assert.ok(!isAffordable(Array.from({ length: 20 }, () => '(?:a{0,1000})')));
  assert.ok(!isAffordable(['\\pL'.repeat(341)]));
});
