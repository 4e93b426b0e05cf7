/**
 * What is called, as Envoy matches it. What servers read in different ways is unknown: an Allow rule never matches it, a Deny
 * rule always does. So the two are written differently, and neither is the other's opposite.
 */
import type { Message } from '../../envoy/types.js';
import type { ServerContext } from '../feature.js';
import { regexLiteral } from '../rules/regex-literal.js';
import { loose, plainPath } from './path-pattern.js';
import type { Match, Rule } from './schema.js';

type Permission = Message<'envoy.config.rbac.v3.Permission'>;
type PathMatcher = Message<'envoy.type.matcher.v3.PathMatcher'>;
type Headers = NonNullable<Match['headers']>;

const anything: Permission = { any: true };

/** What a rule is about on this port; an empty list is nothing. */
export function toPermissions({ action, matches }: Rule, { protocol, port }: ServerContext): readonly Permission[] {
  if (!matches) return [anything];
  return matches.flatMap((match): readonly Permission[] => {
    if (match.port !== undefined && match.port !== port) return [];
    if (protocol === 'TCP' && needsHttp(match)) return action === 'Deny' ? [anything] : [];
    return [all(action === 'Deny' ? toDenied(match) : toAllowed(match))];
  });
}

/** Whether a match speaks of what only HTTP has. */
export function needsHttp({ method, path, headers }: Match): boolean {
  return method !== undefined || path !== undefined || headers !== undefined;
}

function toAllowed({ method, path, headers = [] }: Match): readonly Permission[] {
  return [
    ...(method ? [header(':method', { exact: method }), not(overridesMethod)] : []),
    ...(path && !isEverything(path) ? [allowedPath(path), not(isPathUnknown)] : []),
    ...headers.flatMap(allowedHeader),
  ];
}

function toDenied({ method, path, headers = [] }: Match): readonly Permission[] {
  return [
    ...(method ? [any([header(':method', { exact: method, ignore_case: true }), overridesMethod])] : []),
    ...(path && !isEverything(path) ? [any([deniedPath(path), isPathUnknown])] : []),
    ...headers.map(deniedHeader),
  ];
}

type Path = NonNullable<Match['path']>;

function isEverything({ type = 'PathPrefix', value = '/' }: Path): boolean {
  return type === 'PathPrefix' && value === '/';
}

/** A slash at the end of a prefix means nothing. */
function allowedPath({ type = 'PathPrefix', value = '/' }: Path): Permission {
  if (type === 'Exact') return url({ path: { exact: value } });
  const bare = value.replace(/\/$/, '');
  return any([url({ path: { exact: bare } }), url({ path: { prefix: `${bare}/` } })]);
}

/** For many servers case means nothing, nor does a slash at the end of a path, nor dots and spaces at the end of a segment. */
function deniedPath({ type = 'PathPrefix', value = '/' }: Path): Permission {
  const segments = value.split('/').flatMap((segment) => (segment === '' ? [] : [`/${regexLiteral(segment.replace(endOfSegment, ''))}${loose}`]));
  const rest = segments.length === 0 ? '/' : type === 'Exact' ? '/?' : '(?:/.*)?';
  return url({ path: { safe_regex: { regex: `(?i)${segments.join('')}${rest}` } } });
}

const endOfSegment = new RegExp(`${loose}$`);

/** Some frameworks take the method, or the path, from such a header. */
const methodHeaders = ['x-http-method-override', 'x-http-method', 'x-method-override'];
const pathHeaders = ['x-original-url', 'x-rewrite-url'];

const overridesMethod = any(methodHeaders.map(isPresent));
const isPathUnknown = any([not(url({ path: { safe_regex: { regex: plainPath } } })), ...pathHeaders.map(isPresent)]);

/** Envoy compares each value of a header that stands there twice for itself, and one is enough: so one must be this, and none another. */
function allowedHeader({ name, value }: Headers[number]): readonly Permission[] {
  return [header(name, { exact: value }), not(header(name, { safe_regex: { regex: anyOther(value) } }))];
}

/** An expression for every text but this one, which is ASCII: RE2 has no negation. */
function anyOther(text: string): string {
  return [...text].reduceRight((rest, character) => {
    const code = `\\x{${character.charCodeAt(0).toString(16)}}`;
    return `(?:[^${code}].*|${code}${rest})?`;
  }, '.+');
}

/** An element of a list with commas counts as a value (RFC 9110, section 5.6.1). */
function deniedHeader({ name, value }: Headers[number]): Permission {
  return header(name, { safe_regex: { regex: `(?:.*,)?[ \\t]*${regexLiteral(value)}[ \\t]*(?:,.*)?` } });
}

function header(name: string, string_match: Message<'envoy.type.matcher.v3.StringMatcher'>): Permission {
  return { header: { name, string_match } };
}

function isPresent(name: string): Permission {
  return { header: { name, present_match: true } };
}

function url(url_path: PathMatcher): Permission {
  return { url_path };
}

function not(not_rule: Permission): Permission {
  return { not_rule };
}

function any(rules: readonly Permission[]): Permission {
  const [only, ...others] = rules;
  return only && others.length === 0 ? only : { or_rules: { rules } };
}

function all(rules: readonly Permission[]): Permission {
  const [only, ...others] = rules;
  if (!only) return anything;
  return others.length === 0 ? only : { and_rules: { rules } };
}
