/** What crosses the fields of `rules`: the CEL of the Gateway API's HTTPRoute, and the regular expressions. */
import { type StanzaProblem, stanzaError } from '../feature.js';
import { isAffordable } from '../regex.js';
import { feature as timeouts } from '../timeouts/index.js';
import { checkBackendFilters, checkFilters } from './check-filters.js';
import { checkMatch } from './check-match.js';
import type { Rule, Rules } from './schema.js';

/** The Gateway API's bound on the matches of all rules together. */
const maxMatches = 128;

/** The problems of all rules, in their order; where the rules are too many or too costly to look at, that alone. */
export function check(rules: Rules): readonly StanzaProblem[] {
  const general = [...checkNames(rules), ...checkCount(rules), ...checkExpressions(rules)];
  return general.some(({ field }) => field === '') ? general : [...general, ...rules.flatMap((rule, index) => checkRule(rule, `[${index}]`))];
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

/** Looked at before any of them is compiled. */
function checkExpressions(rules: Rules): readonly StanzaProblem[] {
  const conditions = rules.flatMap(({ matches = [] }) =>
    matches.flatMap(({ path, headers = [], queryParams = [] }) => [...(path ? [path] : []), ...headers, ...queryParams]),
  );
  const expressions = conditions.flatMap(({ type, value }) => (type === 'RegularExpression' && value !== undefined ? [value] : []));
  if (isAffordable(expressions)) return [];
  return [stanzaError('', undefined, `the ${expressions.length} regular expressions of the rules are too large together`, 'shorten them, or split the rules')];
}

function checkRule(rule: Rule, path: string): readonly StanzaProblem[] {
  return [
    ...(rule.matches ?? []).flatMap((match, index) => checkMatch(match, `${path}.matches[${index}]`)),
    ...checkFilters(rule, path),
    ...(rule.backendRefs ?? []).flatMap(({ filters }, index) => checkBackendFilters(filters ?? [], `${path}.backendRefs[${index}]`)),
    ...(rule.timeouts ? (timeouts.check?.(rule.timeouts) ?? []).map((problem) => ({ ...problem, field: `${path}.timeouts.${problem.field}` })) : []),
  ];
}
