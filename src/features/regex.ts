import { RE2JS } from 're2js';
import { type StanzaProblem, stanzaError } from './feature.js';

const maxLength = 1024;

/**
 * In instructions. Envoy matches bytes and counts up to ten times as many for classes such as \pL, and Weft's bootstrap lets it
 * take 32,768. For a union of many classes it counts twenty times as many and more: such an expression passes here, and Envoy
 * says no.
 */
const maxSize = 3000;

/** The problems of a regular expression that Envoy will be given: RE2, in at most 1,024 characters, and not too large when compiled. */
export function checkRegex(expression: string, field: string): readonly StanzaProblem[] {
  if (expression.length > maxLength)
    return [stanzaError(field, expression, `has ${expression.length} characters, and ${maxLength} are allowed`, 'shorten the expression')];
  try {
    const size = RE2JS.compile(expression).programSize();
    if (size <= maxSize) return [];
    return [
      stanzaError(field, expression, `compiles to ${size} instructions, and ${maxSize} are allowed`, 'write smaller repeat counts, such as + for {1,1000}'),
    ];
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
