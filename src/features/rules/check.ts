/** What crosses the fields of `rules`: the CEL of the Gateway API's HTTPRoute, and the regular expressions. */
import { type StanzaProblem, stanzaError } from '../feature.js';
import { feature as timeouts } from '../timeouts/index.js';
import { checkBackendFilters, checkFilters } from './check-filters.js';
import { checkMatch } from './check-match.js';
import type { Rule, Rules } from './schema.js';

/** The Gateway API's bound on the matches of all rules together. */
const maxMatches = 128;

/** The problems of all rules, in their order. */
export function check(rules: Rules): readonly StanzaProblem[] {
  return [...checkNames(rules), ...checkCount(rules), ...rules.flatMap((rule, index) => checkRule(rule, `[${index}]`))];
}

function checkNames(rules: Rules): readonly StanzaProblem[] {
  return rules.flatMap(({ name }, index) => {
    const first = rules.findIndex((other) => other.name === name);
    if (name === undefined || first === index) return [];
    return [stanzaError(`[${index}].name`, name, `is the name of rule ${first} already`, 'give each rule a name of its own')];
  });
}

function checkCount(rules: Rules): readonly StanzaProblem[] {
  const count = rules.reduce((sum, { matches }) => sum + (matches?.length ?? 1), 0);
  return count > maxMatches
    ? [stanzaError('', undefined, `the rules have ${count} matches in all, and ${maxMatches} are allowed`, 'split them, or match more generally')]
    : [];
}

function checkRule(rule: Rule, path: string): readonly StanzaProblem[] {
  return [
    ...(rule.matches ?? []).flatMap((match, index) => checkMatch(match, `${path}.matches[${index}]`)),
    ...checkFilters(rule, path),
    ...(rule.backendRefs ?? []).flatMap(({ filters }, index) => checkBackendFilters(filters ?? [], `${path}.backendRefs[${index}]`)),
    ...(rule.timeouts ? (timeouts.check?.(rule.timeouts) ?? []).map((problem) => ({ ...problem, field: `${path}.timeouts.${problem.field}` })) : []),
  ];
}
