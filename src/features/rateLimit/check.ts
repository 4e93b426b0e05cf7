import { type StanzaProblem, stanzaError } from '../feature.js';
import type { RateLimit, Rule } from './schema.js';

/** What the schema of `rateLimit` does not see. */
export function check({ local }: RateLimit): readonly StanzaProblem[] {
  if (!local) return [stanzaError('local', undefined, 'is missing', 'set local, which type Local needs')];
  return local.rules.flatMap((rule, index) => checkRule(rule, `local.rules[${index}]`));
}

function checkRule({ key, header }: Rule, field: string): readonly StanzaProblem[] {
  if ((key === 'Header') === (header !== undefined)) return [];
  return [
    header
      ? stanzaError(`${field}.header`, undefined, 'goes with key Header only', 'set key: Header, or remove header')
      : stanzaError(`${field}.header`, undefined, 'is missing', 'set header, which key Header needs'),
  ];
}
