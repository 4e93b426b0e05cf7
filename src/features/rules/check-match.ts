import { type StanzaProblem, stanzaError } from '../feature.js';
import { checkRegex } from '../regex.js';
import { pathPattern } from './path-pattern.js';
import type { Match } from './schema.js';

/** The problems of one match: impossible paths, bad expressions, headers named twice. */
export function checkMatch(match: Match, path: string): readonly StanzaProblem[] {
  return [
    ...checkPath(match.path, `${path}.path`),
    ...checkValues(match.headers ?? [], `${path}.headers`, (name) => name.toLowerCase()),
    ...checkHost(match.headers ?? [], `${path}.headers`),
    ...checkValues(match.queryParams ?? [], `${path}.queryParams`, (name) => name),
  ];
}

/** What a normalized path never holds, so that it would never match (the rules of HTTPPathMatch). */
const impossible = ['//', '/./', '/../', '%2f', '%2F', '#'] as const;

function checkPath(path: Match['path'], field: string): readonly StanzaProblem[] {
  const { type = 'PathPrefix', value = '/' } = path ?? {};
  if (type === 'RegularExpression') return checkRegex(value, `${field}.value`);
  if (!value.startsWith('/')) return [stanzaError(`${field}.value`, value, 'must begin with /', `write /${value}`)];
  const part = impossible.find((each) => value.includes(each)) ?? ['/.', '/..'].find((end) => value.endsWith(end));
  return part
    ? [stanzaError(`${field}.value`, value, `never matches, since no path holds ${part}`, `write it without ${part}`)]
    : checkCharacters(value, `${field}.value`);
}

const possible = new RegExp(pathPattern);

function checkCharacters(value: string, field: string): readonly StanzaProblem[] {
  if (possible.test(value)) return [];
  return [stanzaError(field, value, 'holds characters that no path holds', 'write them percent-encoded, as in %20; a query goes into queryParams')];
}

type Values = NonNullable<Match['headers']>;

/** A redirected call is known by the address that it goes to, which stands in the place of the Host while the route is chosen. */
function checkHost(headers: Values, field: string): readonly StanzaProblem[] {
  return headers.flatMap(({ name }, index): readonly StanzaProblem[] => {
    if (name.toLowerCase() !== 'host') return [];
    const message = 'is not the Host that the caller wrote where traffic is redirected, but the address that it called';
    return [
      { severity: 'warning', field: `${field}[${index}].name`, value: name, message, remedy: 'match another header, or give each name a Service of its own' },
    ];
  });
}

function checkValues(values: Values, field: string, key: (name: string) => string): readonly StanzaProblem[] {
  return values.flatMap(({ type, name, value }, index) => {
    const first = values.findIndex((other) => key(other.name) === key(name));
    return [
      ...(first === index ? [] : [stanzaError(`${field}[${index}].name`, name, `is the name of item ${first} already`, 'remove one of the two')]),
      ...(type === 'RegularExpression' ? checkRegex(value, `${field}[${index}].value`) : []),
    ];
  });
}
