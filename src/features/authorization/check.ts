/** What the schema of `authorization` does not see. */
import { type StanzaProblem, stanzaError } from '../feature.js';
import { parseCidr } from './cidr.js';
import type { Authorization, Match, Rule, Source } from './schema.js';
import { checkSize } from './size.js';

/** The problems of the stanza, rule by rule. */
export function check({ defaultAction, rules }: Authorization): readonly StanzaProblem[] {
  if (defaultAction === undefined && rules === undefined) {
    return [stanzaError('', undefined, 'says nothing', 'set rules, or defaultAction: Deny to deny every call')];
  }
  return [...checkSize(rules ?? []), ...(rules ?? []).flatMap((rule, index) => checkRule(rule, `rules[${index}]`))];
}

function checkRule({ sources = [], matches = [] }: Rule, field: string): readonly StanzaProblem[] {
  return [
    ...sources.flatMap((source, index) => checkSource(source, `${field}.sources[${index}]`)),
    ...matches.flatMap(({ headers = [] }, index) => checkHeaders(headers, `${field}.matches[${index}].headers`)),
  ];
}

const fieldOf = { ServiceAccount: 'serviceAccount', Namespace: 'namespace', SPIFFE: 'spiffe', CIDR: 'cidr' } as const;

function checkSource(source: Source, path: string): readonly StanzaProblem[] {
  const kinds = Object.entries(fieldOf).flatMap(([type, field]): readonly StanzaProblem[] => {
    const isThere = source[field] !== undefined;
    if (isThere === (type === source.type)) return [];
    return isThere
      ? [stanzaError(`${path}.${field}`, undefined, `goes with type ${type} only`, `set type: ${type}, or remove ${field}`)]
      : [stanzaError(`${path}.${field}`, undefined, 'is missing', `set ${field}, which type ${type} needs`)];
  });
  return source.cidr !== undefined && !parseCidr(source.cidr)
    ? [
        ...kinds,
        stanzaError(`${path}.cidr`, source.cidr, 'is no range of addresses', 'write an address, a slash and the length of the prefix, such as 10.0.0.0/8'),
      ]
    : kinds;
}

/** Headers that tell what a proxy knows better. */
const told: Readonly<Record<string, string>> = {
  'x-forwarded-for': 'use a source of type CIDR, which knows the address itself',
  'x-real-ip': 'use a source of type CIDR, which knows the address itself',
  forwarded: 'use a source of type CIDR, which knows the address itself',
  'x-forwarded-client-cert': 'use a source of type ServiceAccount or SPIFFE, which knows the certificate itself',
};

function checkHeaders(headers: NonNullable<Match['headers']>, path: string): readonly StanzaProblem[] {
  return headers.flatMap(({ name }, index): readonly StanzaProblem[] => {
    const [field, lower] = [`${path}[${index}].name`, name.toLowerCase()];
    const first = headers.findIndex((other) => other.name.toLowerCase() === lower);
    if (first !== index) return [stanzaError(field, name, `is the name of item ${first} already`, 'remove one of the two')];
    if (lower === 'host') return [stanzaError(field, name, 'is not a header that rules match', 'match by path or port')];
    const remedy = told[lower];
    return remedy ? [{ severity: 'warning', field, value: name, message: 'holds whatever the caller writes into it', remedy }] : [];
  });
}
