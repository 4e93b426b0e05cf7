import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeAny } from '../../envoy/encode.js';
import type { ServerContext } from '../feature.js';
import { parsePolicy } from '../policy.js';
import { feature } from './index.js';
import type { Authorization, Rule } from './schema.js';

const context: ServerContext = { protocol: 'HTTP', namespace: 'shop', service: 'reviews', port: 8080, trustDomain: 'cluster.local', isMtls: true };

function many<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** What is said of a policy with this stanza. */
function problemsOf(authorization: unknown): readonly string[] {
  const metadata = { name: 'p', namespace: 'shop' };
  const { policy, diagnostics } = parsePolicy({
    apiVersion: 'weft.dev/v1alpha1',
    kind: 'TrafficPolicy',
    metadata,
    spec: { targetRefs: [{ kind: 'Service', name: 'reviews' }], authorization },
  });
  assert.equal(policy === undefined, diagnostics.length > 0);
  return diagnostics.map(({ field, message, remedy }) => `${field} ${message}; ${remedy}`);
}

const paths = (count: number, value = '/a') => many(count, (index) => ({ path: { value: `${value}${index}` } }));
const name = (index: number) => `r${index}`;

test('a policy with 10,000 rules is refused in one sentence, and so is one with too many of anything', () => {
  assert.deepEqual(problemsOf({ rules: many(10_000, (index) => ({ name: name(index) })) }), [
    'spec.authorization.rules must have at most 64 items; remove some',
  ]);
  const refused = (rules: unknown) => problemsOf({ rules })[0] ?? '';
  assert.match(refused([{ name: 'a', matches: paths(10_000) }]), /^spec.authorization.rules\[0\].matches must have at most 32 items/);
  assert.match(
    refused(many(64, (index) => ({ name: name(index), matches: paths(5) }))),
    /^spec.authorization.rules has 320 matches in all its rules, and 256 are allowed; write a prefix/,
  );
  const source = (index: number) => ({ type: 'Namespace', namespace: `n${index}` });
  assert.match(refused(many(64, (index) => ({ name: name(index), sources: many(9, source) }))), /has 576 sources in all its rules, and 512 are allowed/);
  assert.match(
    refused(many(2, (index) => ({ name: name(index), matches: paths(32, `/${'a'.repeat(200)}`) }))),
    /has 12972 characters in paths and values of headers/,
  );
  assert.match(refused([{ name: 'a', matches: [{ path: { value: `/${'a.'.repeat(500_000)};` } }] }]), /must have at most 256 characters/);
});

test('a policy that is nested deeply is refused', () => {
  let [list, map]: [unknown, unknown] = [[], {}];
  for (let depth = 0; depth < 3000; depth++) [list, map] = [[list], { a: map }];
  for (const nested of [list, map])
    for (const stanza of [nested, { rules: nested }, { rules: [nested] }, { rules: [{ name: 'a', sources: nested }] }])
      assert.equal(problemsOf(stanza).length > 0, true);
});

/** The rules of a policy as large as a policy may be. */
const largest: readonly Rule[] = [
  ...many(31, (index) => ({ name: name(index), action: 'Deny' as const, matches: paths(8, '/some/path') })),
  {
    name: 'headers',
    action: 'Allow' as const,
    matches: many(8, (index) => ({ headers: many(5, (other) => ({ name: `x-${other}`, value: `${index}`.repeat(128) })) })),
  },
];

function configured(policies: number) {
  const value: Authorization = { rules: [...largest] };
  return feature.server?.(
    many(policies, (index) => ({ value, policy: { kind: 'TrafficPolicy', namespace: 'shop', name: `p${index}` } })),
    context,
  );
}

test('the largest policy makes a filter of a quarter of a megabyte at most', () => {
  assert.deepEqual(problemsOf({ rules: largest }), []);
  const bytes = (configured(1)?.http ?? []).map(({ typed_config }) => encodeAny(typed_config ?? assert.fail()).length);
  assert.ok(bytes.length === 2 && bytes.reduce((sum, each) => sum + each) < 250_000, bytes.join());
});

test('where many policies come to too much, nobody is let in rather than somebody too many, and each of them says so', () => {
  assert.deepEqual(configured(4)?.problems, []);
  const { http = [], problems = [] } = configured(5) ?? {};
  assert.deepEqual(
    http.map((filter) => Object(filter.typed_config).rules),
    [{ action: 'ALLOW', policies: {} }],
  );
  assert.equal(problems.length, 5);
  assert.match(problems[0]?.message ?? '', /hold for port 8080 of Service reviews, more than can be carried out, so every call to it is denied/);
});
