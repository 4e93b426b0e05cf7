import { type StanzaProblem, stanzaError } from '../feature.js';
import { checkHeaders } from './check-headers.js';
import { checkModifier } from './check-modifier.js';
import type { Filter, Rule } from './schema.js';

const fieldOf = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestRedirect: 'requestRedirect',
  URLRewrite: 'urlRewrite',
  RequestMirror: 'requestMirror',
} as const satisfies Readonly<Record<Filter['type'], keyof Filter>>;

/** The problems of a rule's filters, alone, among each other, and with the rule's matches and backends. */
export function checkFilters(rule: Rule, path: string): readonly StanzaProblem[] {
  const filters = rule.filters ?? [];
  return [
    ...filters.flatMap((filter, index) => [...checkFilter(filter, `${path}.filters[${index}]`), ...checkPrefix(filter, rule, `${path}.filters[${index}]`)]),
    ...checkRepeated(filters, `${path}.filters`),
    ...checkRedirect(rule, path),
  ];
}

/** The problems of the filters of one backend. Envoy can change headers for one backend of many, and nothing else. */
export function checkBackendFilters(filters: readonly Filter[], path: string): readonly StanzaProblem[] {
  const other = filters.flatMap(({ type }, index) => {
    if (type === 'RequestHeaderModifier' || type === 'ResponseHeaderModifier') return [];
    const remedy = "move it to the rule's filters, in a rule of its own if need be";
    return [stanzaError(`${path}.filters[${index}].type`, type, 'is not possible for a single backend, only for a rule', remedy)];
  });
  return [...other, ...filters.flatMap((filter, index) => checkFilter(filter, `${path}.filters[${index}]`)), ...checkRepeated(filters, `${path}.filters`)];
}

function checkFilter(filter: Filter, path: string): readonly StanzaProblem[] {
  const fields = Object.values(fieldOf).flatMap((field) => {
    if ((fieldOf[filter.type] === field) === (filter[field] !== undefined)) return [];
    return filter[field]
      ? [stanzaError(`${path}.${field}`, filter[field], `does not go with type ${filter.type}`, `remove ${field}, or change the type`)]
      : [stanzaError(`${path}.${field}`, undefined, 'is missing', `set ${field}, which type ${filter.type} needs`)];
  });
  const modifiers = [filter.requestRedirect, filter.urlRewrite].flatMap((each) => (each?.path ? [each.path] : []));
  const name = filter.requestRedirect ? 'requestRedirect' : 'urlRewrite';
  return [
    ...fields,
    ...modifiers.flatMap((modifier) => checkModifier(modifier, `${path}.${name}.path`)),
    ...checkHeaders(filter, path),
    ...checkMirror(filter, path),
  ];
}

/** A prefix can be replaced only where a prefix has matched; a rule without matches, and a match without a path, match the prefix /. */
function checkPrefix({ requestRedirect, urlRewrite }: Filter, { matches = [] }: Rule, path: string): readonly StanzaProblem[] {
  const other = matches.findIndex((match) => (match.path?.type ?? 'PathPrefix') !== 'PathPrefix');
  if (other < 0) return [];
  return Object.entries({ requestRedirect, urlRewrite }).flatMap(([field, filter]) => {
    if (filter?.path?.type !== 'ReplacePrefixMatch') return [];
    const message = `replaces a matched prefix, but matches[${other}] is of type ${matches[other]?.path?.type}`;
    return [stanzaError(`${path}.${field}.path.type`, filter.path.type, message, 'match by PathPrefix, or use ReplaceFullPath')];
  });
}

function checkMirror({ requestMirror }: Filter, path: string): readonly StanzaProblem[] {
  if (!requestMirror) return [];
  const { percent, fraction } = requestMirror;
  if (percent !== undefined && fraction) return [stanzaError(`${path}.requestMirror.fraction`, fraction, 'does not go with percent', 'keep one of the two')];
  const { numerator, denominator = 100 } = fraction ?? { numerator: 0 };
  return numerator > denominator
    ? [
        stanzaError(
          `${path}.requestMirror.fraction.numerator`,
          numerator,
          `must not exceed the denominator, which is ${denominator}`,
          'a copy of every request is 100 of 100',
        ),
      ]
    : [];
}

/** Only mirrors may stand more than once. */
function checkRepeated(filters: readonly Filter[], path: string): readonly StanzaProblem[] {
  return filters.flatMap(({ type }, index) => {
    const first = filters.findIndex((other) => other.type === type);
    return first === index || type === 'RequestMirror'
      ? []
      : [stanzaError(`${path}[${index}].type`, type, `stands in filters[${first}] already`, 'make one filter of the two')];
  });
}

function checkRedirect({ filters = [], backendRefs = [] }: Rule, path: string): readonly StanzaProblem[] {
  const redirect = filters.findIndex(({ type }) => type === 'RequestRedirect');
  const rewrite = filters.findIndex(({ type }) => type === 'URLRewrite');
  if (redirect < 0) return [];
  const field = `${path}.filters[${redirect}].type`;
  return [
    ...(backendRefs.length > 0
      ? [stanzaError(field, 'RequestRedirect', 'does not go with backendRefs, since nothing is sent there', 'remove backendRefs, or the filter')]
      : []),
    ...(rewrite < 0
      ? []
      : [
          stanzaError(
            field,
            'RequestRedirect',
            `does not go with URLRewrite, which is filters[${rewrite}]`,
            "change the location in the redirect's own fields",
          ),
        ]),
  ];
}
