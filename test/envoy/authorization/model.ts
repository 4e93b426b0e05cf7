/** What docs/authorization.md says, written down once more and in another way, to compare Envoy with. */

import type { Authorization, Match, Rule, Source } from '../../../src/features/authorization/schema.js';
import type { ServerStanza } from '../../../src/features/feature.js';
import type { Caller, Request } from './callers.js';
import { podPort, trustDomain } from './site.js';

/** What is decided. */
export interface Verdict {
  readonly isAllowed: boolean;
  /** The Deny rules that match. */
  readonly denying: readonly string[];
  /** The Allow rules that let it in where it would be denied without them. */
  readonly allowing: readonly string[];
}

/** Yes and no, or what cannot be known. */
type Truth = boolean | 'unknown';

type Stanza = ServerStanza<Authorization>;

/** The decision for a call; without a request it is a TCP connection. */
export function decide(stanzas: readonly Stanza[], caller: Caller, request: Request | undefined): Verdict {
  const live = stanzas.filter(({ mode }) => mode !== 'Shadow');
  const rules = live.flatMap(({ value, policy }) =>
    (value.rules ?? [])
      .filter(({ mode }) => mode !== 'Shadow')
      .map((rule) => ({ rule, id: `${policy.namespace}/${policy.name}/${rule.name}`, own: policy.namespace })),
  );
  const matching = (action: string) =>
    rules.flatMap(({ rule, id, own }) => {
      if ((rule.action ?? 'Allow') !== action) return [];
      const truth = both(sourcesHold(rule, caller, own), matchesHold(rule, request));
      return truth === true || (truth === 'unknown' && action === 'Deny') ? [id] : [];
    });
  const denying = matching('Deny');
  if (denying.length > 0) return { isAllowed: false, denying, allowing: [] };
  const isClosed = live.some(({ value }) => value.defaultAction === 'Deny' || (value.defaultAction === undefined && hasAllow(value)));
  const allowing = isClosed ? matching('Allow') : [];
  return { isAllowed: !isClosed || allowing.length > 0, denying, allowing };
}

/** The decision as it would be without Shadow mode. Where no policy is in force, the path is not normalized, and unknown if it had to be. */
export function wouldDecide(stanzas: readonly Stanza[], caller: Caller, request: Request | undefined): Verdict {
  const all = stanzas.map(({ value, policy }) => ({ policy, value: { ...value, rules: (value.rules ?? []).map(({ mode: _, ...rule }) => rule) } }));
  const isLeft = stanzas.every(({ mode }) => mode === 'Shadow');
  const [path] = request?.path.split('?') ?? [];
  return decide(all, caller, request && isLeft && resolved(request.path) !== path ? { ...request, path: '/;' } : request);
}

function hasAllow({ rules = [] }: Authorization): boolean {
  return rules.some(({ action, mode }) => action !== 'Deny' && mode !== 'Shadow');
}

function both(...truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false;
  return truths.includes('unknown') ? 'unknown' : true;
}

function either(truths: readonly Truth[]): Truth {
  if (truths.includes(true)) return true;
  return truths.includes('unknown') ? 'unknown' : false;
}

function sourcesHold({ sources }: Rule, caller: Caller, own: string): Truth {
  return sources ? either(sources.map((source) => sourceHolds(source, caller, own))) : true;
}

function sourceHolds({ type, serviceAccount, namespace, spiffe, cidr }: Source, { identity, address }: Caller, own: string): Truth {
  if (type === 'CIDR') return inRange(address, cidr ?? '');
  if (!identity) return 'unknown';
  if (type === 'Namespace') return identity.namespace === namespace;
  if (type === 'SPIFFE') return spiffe === `spiffe://${trustDomain}/ns/${identity.namespace}/sa/${identity.serviceAccount}`;
  return identity.namespace === (serviceAccount?.namespace ?? own) && identity.serviceAccount === serviceAccount?.name;
}

function inRange(address: string, cidr: string): boolean {
  const [base = '', length = '0'] = cidr.split('/');
  const bits = (text: string) =>
    text
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('');
  return bits(address).startsWith(bits(base).slice(0, Number(length)));
}

function matchesHold({ matches }: Rule, request: Request | undefined): Truth {
  return matches ? either(matches.map((match) => matchHolds(match, request))) : true;
}

function matchHolds({ port, method, path, headers = [] }: Match, request: Request | undefined): Truth {
  const onPort = port === undefined || port === podPort;
  const asked = [
    ...(method ? [methodHolds(method, request)] : []),
    ...(path ? [pathHolds(path, request)] : []),
    ...headers.map((one) => headerHolds(one, request)),
  ];
  return both(onPort, ...asked);
}

const overrides = ['x-http-method-override', 'x-http-method', 'x-method-override'];

function methodHolds(method: string, request: Request | undefined): Truth {
  if (!request || request.headers.some(([name]) => overrides.includes(name.toLowerCase()))) return 'unknown';
  return request.method === method;
}

function headerHolds({ name, value }: NonNullable<Match['headers']>[number], request: Request | undefined): Truth {
  if (!request) return 'unknown';
  const sent = request.headers.filter(([other]) => other.toLowerCase() === name.toLowerCase()).map(([, text]) => text);
  if (sent.length > 0 && sent.every((text) => text === value)) return true;
  return sent.some((text) => text.split(',').some((part) => part.trim() === value)) ? 'unknown' : false;
}

function pathHolds({ type = 'PathPrefix', value = '/' }: NonNullable<Match['path']>, request: Request | undefined): Truth {
  if (!request) return 'unknown';
  if (type === 'PathPrefix' && value === '/') return true;
  if (request.headers.some(([name]) => ['x-original-url', 'x-rewrite-url'].includes(name.toLowerCase()))) return 'unknown';
  const path = resolved(request.path);
  if (path === undefined) return 'unknown';
  const trim = (text: string) => (text.endsWith('/') ? text.slice(0, -1) : text);
  const holds = (a: string, b: string) => (type === 'Exact' ? a === b : `${a}/`.startsWith(`${trim(b)}/`));
  if (holds(path, value)) return true;
  return holds(trim(loosely(path)), trim(loosely(value))) ? 'unknown' : false;
}

/** For servers to which neither case nor dots and spaces at the end of a segment mean anything. */
function loosely(path: string): string {
  return path
    .toLowerCase()
    .split('/')
    .map((segment) => segment.replace(/(\.|%20)+$/, ''))
    .join('/');
}

/** The path as the app gets it; undefined where servers differ about it. */
function resolved(target: string): string | undefined {
  const [raw = ''] = target.split('?');
  const parts: string[] = [];
  const segments = raw.replaceAll('\\', '/').split('/').slice(1).map(plainSegment);
  for (const segment of segments)
    if (segment === '..') parts.pop();
    else if (segment !== '' && segment !== '.') parts.push(segment);
  if (parts.some(isDoubtful)) return undefined;
  const isOpen = ['', '.', '..'].includes(segments.at(-1) ?? '');
  return `/${parts.join('/')}${isOpen && parts.length > 0 ? '/' : ''}`;
}

/** Dots lose their parameters where they are written as they are; what needs no encoding is decoded. */
function plainSegment(segment: string): string {
  return segment.replace(/^(\.\.?);.*/, '$1').replace(/%([0-9a-fA-F]{2})/g, (code, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    return /[-A-Za-z0-9._~]/.test(character) ? character : code;
  });
}

function isDoubtful(segment: string): boolean {
  if (/[;[\]]/.test(segment) || loosely(segment) === '') return true;
  return [...segment.matchAll(/%([0-9a-fA-F]{0,2})/g)].some(([, digits = '']) => !isHarmless(digits));
}

/** What has no other way to stand in a path: a space, a quotation mark and the like, and UTF-8. */
function isHarmless(digits: string): boolean {
  const code = Number.parseInt(digits, 16);
  return digits.length === 2 && (' "<>^`{|}'.includes(String.fromCharCode(code)) || (code >= 0x80 && code !== 0xc0 && code !== 0xc1 && code < 0xf5));
}
