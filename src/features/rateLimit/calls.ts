import type { Message } from '../../envoy/types.js';
import { regexLiteral } from '../rules/regex-literal.js';
import type { Rule } from './schema.js';

type HeaderMatcher = Message<'envoy.config.route.v3.HeaderMatcher'>;

/** Which calls a rule is about; Envoy wants one header at least, and every request has a method. */
export function callsOf({ match }: Rule): readonly HeaderMatcher[] {
  const method: HeaderMatcher = match?.method ? { name: ':method', string_match: { exact: match.method } } : { name: ':method', present_match: true };
  return match?.path ? [method, { name: ':path', string_match: { safe_regex: { regex: pathRegex(match.path) } } }] : [method];
}

/** An expression for the whole of `:path`, which holds the query as well. */
function pathRegex({ type = 'PathPrefix', value = '/' }: NonNullable<NonNullable<Rule['match']>['path']>): string {
  return type === 'Exact' ? `${regexLiteral(value)}(?:\\?.*)?` : `${regexLiteral(value.replace(/\/$/, ''))}(?:[/?].*)?`;
}
