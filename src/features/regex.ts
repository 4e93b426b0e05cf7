import { RE2JS } from 're2js';
import { type StanzaProblem, stanzaError } from './feature.js';
import { sizeOfRegex } from './regex-size.js';

const maxLength = 1024;

/**
 * In instructions. Envoy matches bytes and counts up to ten times as many for classes such as \pL, and Weft's bootstrap lets it
 * take 32,768. For a union of many classes it counts twenty times as many and more: such an expression passes here, and Envoy
 * says no.
 */
const maxSize = 3000;

/** An estimate is at most so many times the size. What it puts beyond doubt is not compiled, since that would take long. */
const margin = 4;

/** The problems of a regular expression that Envoy will be given: RE2, in at most 1,024 characters, and not too large when compiled. */
export function checkRegex(expression: string, field: string): readonly StanzaProblem[] {
  if (expression.length > maxLength)
    return [stanzaError(field, expression, `has ${expression.length} characters, and ${maxLength} are allowed`, 'shorten the expression')];
  if (sizeOfRegex(expression).instructions > maxSize * margin) return [tooLarge(expression, field, `more than ${maxSize}`)];
  try {
    const size = RE2JS.compile(expression).programSize();
    if (size <= maxSize) return [];
    return [tooLarge(expression, field, String(size))];
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace('error parsing regexp: ', '') : String(error);
    return [
      stanzaError(
        field,
        expression,
        `is not a regular expression in RE2: ${reason}`,
        'write it in the syntax of RE2, which has no lookaround and no backreferences',
      ),
    ];
  }
}

function tooLarge(expression: string, field: string, size: string): StanzaProblem {
  return stanzaError(field, expression, `compiles to ${size} instructions, and ${maxSize} are allowed`, 'write smaller repeat counts, such as + for {1,1000}');
}

/** For all expressions of a policy together, in instructions; so much is compiled in a quarter of a second. */
const maxWork = 16_000;

/** So many instructions are compiled while one class of Unicode is parsed. */
const classWork = 50;

/** Whether these expressions may be compiled, one after the other, without holding up everything else. */
export function isAffordable(expressions: readonly string[]): boolean {
  const sizes = expressions.filter(({ length }) => length <= maxLength).map(sizeOfRegex);
  return sizes.reduce((sum, { instructions, classes }) => sum + Math.min(instructions, maxSize * margin) + classes * classWork, 0) <= maxWork;
}
