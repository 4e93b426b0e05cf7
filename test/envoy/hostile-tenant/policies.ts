/** What a tenant may write into a policy, or a file, to harm others. */
import { largePolicy } from '../../apiserver/large-policy.js';

/** Something hostile. */
export interface Hostile {
  readonly name: string;
  /** The file that the tenant writes. */
  readonly text: string;
  /** What the tenant is told: `KIND NAMESPACE/NAME FIELD: MESSAGE`. */
  readonly says: RegExp;
}

const many = <T>(count: number, make: (index: number) => T): readonly T[] => Array.from({ length: count }, (_, index) => make(index));
const service = { kind: 'Service', name: 'web' };
const namespace = { kind: 'Namespace', name: 'tenant' };
const long = (text: string) => text.repeat(Math.ceil(1_000_000 / text.length));

/** A policy of the tenant about one of its Services. */
function policy(spec: object, name = 'hostile'): string {
  return JSON.stringify({
    ...{ apiVersion: 'weft.dev/v1alpha1', kind: 'TrafficPolicy', metadata: { name, namespace: 'tenant' } },
    spec: { targetRefs: [service], ...spec },
  });
}

const told = (field: string, message: string) => new RegExp(`^TrafficPolicy tenant/hostile ${field.replace(/[.[\]]/g, '\\$&')}: .*${message}`, 'm');
const hostile = (name: string, spec: object, field: string, message: string): Hostile => ({ name, text: policy(spec), says: told(field, message) });
const named = (count: number, more: object = {}) => many(count, (index) => ({ name: `r${index}`, ...more }));
const limits = (rules: readonly object[]) => ({ rateLimit: { type: 'Local', local: { rules } } });
const atPath = (value: string) => ({ rules: [{ matches: [{ path: { type: 'RegularExpression', value } }] }] });

const tooMany: readonly Hostile[] = [
  hostile('10,000 targets', { targetRefs: many(10_000, (index) => ({ kind: 'Service', name: `s${index}` })) }, 'spec.targetRefs', 'at most 16'),
  hostile('10,000 rules', { rules: named(10_000) }, 'spec.rules', 'at most 16'),
  hostile('10,000 matches', { rules: [{ matches: many(10_000, (index) => ({ path: { value: `/${index}` } })) }] }, 'spec.rules[0].matches', 'at most 64'),
  hostile('10,000 backends', { rules: [{ backendRefs: many(10_000, () => ({ name: 'web', port: 80 })) }] }, 'spec.rules[0].backendRefs', 'at most 16'),
  hostile('10,000 filters', { rules: [{ filters: many(10_000, () => ({ type: 'URLRewrite' })) }] }, 'spec.rules[0].filters', 'at most 16'),
  hostile(
    '10,000 labels',
    { rules: [{ backendRefs: [{ name: 'web', port: 80, podSelector: { matchLabels: Object.fromEntries(named(10_000).map(({ name }) => [name, 'v'])) } }] }] },
    'spec.rules[0].backendRefs[0].podSelector.matchLabels',
    'at most 16',
  ),
  hostile('10,000 codes', { retry: { codes: many(10_000, (index) => 500 + (index % 100)) } }, 'spec.retry.codes', 'at most 32'),
  hostile('10,000 rules of authorization', { authorization: { rules: named(10_000) } }, 'spec.authorization.rules', 'at most 64'),
  hostile(
    '10,000 sources',
    { authorization: { rules: named(1, { sources: many(10_000, (index) => ({ type: 'Namespace', namespace: `n${index}` })) }) } },
    'spec.authorization.rules[0].sources',
    'at most 64',
  ),
  hostile('10,000 limits', limits(named(10_000, { limit: { requests: 1 } })), 'spec.rateLimit.local.rules', 'at most 32'),
];

const tooLong: readonly Hostile[] = [
  hostile('a path of 1 MB', { rules: [{ matches: [{ path: { value: long('/a') } }] }] }, 'spec.rules[0].matches[0].path.value', 'at most 1024'),
  hostile('a name of 1 MB that nearly fits', { rules: [{ name: `${long('a.a-')}!` }] }, 'spec.rules[0].name', 'at most 253'),
  hostile(
    'a header of 1 MB',
    { authorization: { rules: named(1, { matches: [{ headers: [{ name: 'x', value: `${long('a ')} ` }] }] }) } },
    'spec.authorization.rules[0].matches[0].headers[0].value',
    'at most 128',
  ),
  hostile(
    'a path of rules of 1 MB',
    { authorization: { rules: named(1, { matches: [{ path: { value: `/${long('a%2')}` } }] }) } },
    'spec.authorization.rules[0].matches[0].path.value',
    'at most 256',
  ),
  hostile('a duration of 1 MB', { timeouts: { request: `${long('1h')}x` } }, 'spec.timeouts.request', 'at most 32'),
  {
    name: 'a field whose name has 1 MB',
    text: policy({ [long('rules')]: 1 }),
    says: /^TrafficPolicy tenant\/hostile spec\.[rules]+\.\.\.: is not a field of spec/m,
  },
];

const expressions: readonly Hostile[] = [
  hostile('a{1000}{1000}', atPath('/(a{1000}){1000}'), 'spec.rules[0].matches[0].path.value', 'more than 3000'),
  hostile('nested repeats', atPath('/((a{0,100}){0,100}){0,100}'), 'spec.rules[0].matches[0].path.value', 'more than 3000'),
  hostile('a lookahead', atPath('/(?=(a+)+$)'), 'spec.rules[0].matches[0].path.value', 'RE2'),
  hostile(
    'a thousand expressions',
    { rules: many(16, () => ({ matches: many(64, (index) => ({ path: { type: 'RegularExpression', value: `/(${index}a?){500}` } })) })) },
    'spec.rules',
    '',
  ),
];

const nested = (depth: number) => policy({ rules: 'NESTED' }).replace('"NESTED"', `${'['.repeat(depth)}${']'.repeat(depth)}`);
const laughs = `lol0: &lol0 [x,x,x,x,x,x,x,x,x,x]\n${many(12, (index) => `lol${index + 1}: &lol${index + 1} [${many(10, () => `*lol${index}`)}]\n`).join('')}`;

/** Whether it is YAML's parser or the schema that gives up first depends on how deep the process itself is. */
const tooDeep = /^TrafficPolicy tenant\/hostile (: is nested too deeply|spec\.rules\[0\]: must be an object)/m;

const files: readonly Hostile[] = [
  { name: 'nested 1,000 deep', text: nested(1_000), says: tooDeep },
  { name: 'nested 100,000 deep', text: nested(100_000), says: tooDeep },
  {
    name: 'a billion laughs',
    text: `apiVersion: weft.dev/v1alpha1\nkind: TrafficPolicy\nmetadata: {name: hostile, namespace: tenant}\n${laughs}spec: *lol12\n`,
    says: /^File hostile\.yaml : Excessive alias count/m,
  },
  {
    name: 'a list that holds itself',
    text: 'apiVersion: weft.dev/v1alpha1\nkind: TrafficPolicy\nmetadata: {name: hostile, namespace: tenant}\nspec: {rules: &a [*a]}\n',
    says: told('spec.rules[0]', ''),
  },
  { name: 'a file of 9 MB', text: `# ${'x'.repeat(9_000_000)}`, says: /^File hostile\.yaml : is \d+ bytes long, and at most/m },
  { name: '20,000 documents that are none', text: '--- [\n'.repeat(20_000), says: /^File hostile\.yaml : has 19900 more problems/m },
];

const crowd = (name: string, spec: object): Hostile => ({
  name: `5,000 small policies: ${name}`,
  text: many(5_000, (index) => policy(spec, `p${String(index).padStart(4, '0')}`)).join('\n---\n'),
  says: /^TrafficPolicy tenant\/p4999 metadata\.namespace: has more TrafficPolicies than a namespace may have; this one is not in force, nor are 4000 others/m,
});

/** Within all bounds, and as much as they let through. */
const withinBounds: readonly Hostile[] = [
  {
    name: 'the largest policy',
    text: policy({ ...largePolicy(), mode: 'Enforce' }),
    says: /^TrafficPolicy tenant\/hostile spec\.targetRefs\[0\]\.name: there is no Service/m,
  },
  crowd('routes of one Service', { rules: [{ matches: [{ path: { value: '/a' } }] }] }),
  crowd('rules of authorization of all Services', { targetRefs: [namespace], authorization: { rules: [{ name: 'a', matches: [{ path: { value: '/a' } }] }] } }),
];

/** All of it. */
export const hostilePolicies: readonly Hostile[] = [...tooMany, ...tooLong, ...expressions, ...files, ...withinBounds];
