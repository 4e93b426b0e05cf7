import type { Match, Rule, Rules } from './schema.js';

/** One alternative of one rule, and where both stand in the policy. */
export interface RankedMatch {
  readonly rule: Rule;
  readonly ruleIndex: number;
  readonly match: Match;
  readonly matchIndex: number;
}

/**
 * All matches of all rules, the one that is to be tried first first (Gateway API, HTTPRouteRule.matches): an exact path, then
 * a regular expression (whose place the API leaves open), then the longest prefix; a method; the number of headers, then of
 * query parameters; then the order in which they are written.
 */
export function byPrecedence(rules: Rules): readonly RankedMatch[] {
  const all = rules.flatMap((rule, ruleIndex) =>
    (rule.matches?.length ? rule.matches : [{}]).map((match, matchIndex) => ({ rule, ruleIndex, match, matchIndex })),
  );
  return all.toSorted((a, b) => compare(rank(a.match), rank(b.match)));
}

const pathRank = { Exact: 2, RegularExpression: 1, PathPrefix: 0 } as const;

function rank({ path, method, headers = [], queryParams = [] }: Match): readonly number[] {
  const { type = 'PathPrefix', value = '/' } = path ?? {};
  return [pathRank[type], value.length, method ? 1 : 0, headers.length, queryParams.length];
}

/** Negative when `a` is more specific; sorting is stable, so that equals keep their order. */
function compare(a: readonly number[], b: readonly number[]): number {
  const first = a.findIndex((value, index) => value !== b[index]);
  return first < 0 ? 0 : (b[first] ?? 0) - (a[first] ?? 0);
}
