import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePolicy } from './policy.js';
import { standInForMany, standInPolicy } from './stand-in.js';

const reviews = { kind: 'Service', name: 'reviews' };

/** What stands in for a broken policy with this spec, and what is said of it. */
function standIn(spec: unknown, isWhole = true) {
  const metadata = { name: 'p', namespace: 'shop', creationTimestamp: '2026-01-02T03:04:05Z', generation: 7 };
  const raw = { apiVersion: 'weft.dev/v1alpha1', kind: 'TrafficPolicy', metadata, spec };
  assert.equal(isWhole && parsePolicy(raw).policy, isWhole ? undefined : false, 'it is broken');
  const { policy, diagnostics } = standInPolicy(raw, isWhole);
  assert.equal(policy === undefined, diagnostics.length === 0);
  const targets = policy?.targetRefs.map(({ kind, namespace, name, sectionName = '' }) => [kind, namespace, name, sectionName].join(' ').trim());
  return { policy, targets, stanzas: policy?.stanzas, says: diagnostics.map(({ field, message }) => `${field} ${message}`) };
}

const denied = { rules: [{ name: 'closed', action: 'Deny' }] };

test('a policy with authorization denies every call to its targets, whether that stanza or another cannot be read', () => {
  for (const authorization of [{ rules: 5 }, { rules: [{ name: 'a' }] }, null, 'x', {}]) {
    const { policy, targets, stanzas, says } = standIn({ targetRefs: [reviews, { ...reviews, name: 'cart', sectionName: 'http' }], authorization, retry: 5 });
    assert.deepEqual(stanzas, { authorization: denied });
    assert.deepEqual(targets, ['Service shop reviews', 'Service shop cart http']);
    assert.deepEqual([policy?.key, policy?.mode, policy?.generation, policy?.creationTimestamp], ['shop/p', 'Enforce', 7, '2026-01-02T03:04:05Z']);
    assert.deepEqual(says, [
      'spec.authorization is of a policy that cannot be read, and no earlier version of it is known; until then every call to them is denied: Service reviews, Service cart',
    ]);
  }
});

test('what stands in for a policy is itself a policy that can be read', () => {
  const { stanzas } = standIn({ targetRefs: [reviews], authorization: 5, tls: 5 });
  const raw = {
    apiVersion: 'weft.dev/v1alpha1',
    kind: 'TrafficPolicy',
    metadata: { name: 'p', namespace: 'shop' },
    spec: { targetRefs: [reviews], ...stanzas },
  };
  assert.deepEqual(parsePolicy(raw).diagnostics, []);
});

test('tls that cannot be read is Strict; what can be read holds, unless it would open Services that nobody knows', () => {
  const tls = (value: unknown, targetRefs: unknown = [reviews]) => standIn({ targetRefs, tls: value, retry: 5 }).stanzas?.['tls'];
  assert.deepEqual(tls({ mode: 'Stirct' }), { mode: 'Strict' });
  assert.deepEqual(tls('Permissive'), { mode: 'Strict' });
  for (const mode of ['Strict', 'Permissive', 'Disabled']) assert.deepEqual(tls({ mode }), { mode });
  assert.deepEqual(tls({ mode: 'Strict' }, 5), { mode: 'Strict' });
  assert.deepEqual(tls({ mode: 'Stirct' }, 5), { mode: 'Strict' });
  for (const mode of ['Permissive', 'Disabled']) assert.equal(tls({ mode }, 5), undefined);
});

test('where the targets cannot be read, or the document ends in an error, it is about all Services of its namespace', () => {
  const authorization = { defaultAction: 'Deny' };
  for (const targetRefs of [undefined, 5, [], [{ kind: 'Pod', name: 'x' }], [reviews, {}], Array(10_000).fill(reviews)]) {
    const { targets, says } = standIn({ targetRefs, authorization });
    assert.deepEqual(targets, ['Namespace shop shop']);
    assert.match(says.join(), /every call to them is denied: all Services of namespace shop$/);
  }
  assert.deepEqual(standIn({ targetRefs: [reviews], authorization }, false).targets, ['Namespace shop shop']);
});

test('a policy never closes what is not its own', () => {
  const foreign = { kind: 'Service', name: 'db', namespace: 'bank' };
  const authorization = 5;
  assert.deepEqual(standIn({ targetRefs: [foreign, { kind: 'Namespace', name: 'bank' }], authorization }).policy, undefined);
  assert.deepEqual(standIn({ targetRefs: [foreign, reviews], authorization }).targets, ['Service shop reviews']);
});

test('nothing stands in for what protects nothing: the behaviour of callers, limits of rate, and a policy in Shadow mode', () => {
  for (const spec of [
    { targetRefs: [reviews], retry: 5, timeouts: 'x', rules: 5, rateLimit: 5 },
    { targetRefs: [reviews], mode: 'Shadow', authorization: 5 },
    5,
    undefined,
    [],
  ])
    assert.equal(standIn(spec).policy, undefined);
  assert.ok(standIn({ targetRefs: [reviews], mode: 'Shaddow', authorization: {} }).policy);
});

test('for policies that are too many, all Services of their namespace are closed by the first that protects any, and only if there is one', () => {
  const policies = (specs: readonly object[]) =>
    specs.flatMap((spec, index) => {
      const metadata = { name: `p${index}`, namespace: 'shop' };
      return parsePolicy({ apiVersion: 'weft.dev/v1alpha1', kind: 'TrafficPolicy', metadata, spec: { targetRefs: [reviews], ...spec } }).policy ?? [];
    });
  assert.deepEqual(
    standInForMany(policies([{ timeouts: {} }, { tls: { mode: 'Permissive' } }, { mode: 'Shadow', authorization: { defaultAction: 'Deny' } }])),
    {
      diagnostics: [],
    },
  );
  const { policy, diagnostics } = standInForMany(policies([{ timeouts: {} }, { authorization: { defaultAction: 'Allow' } }, { tls: { mode: 'Strict' } }]));
  assert.deepEqual(policy?.stanzas, { authorization: denied, tls: { mode: 'Strict' } });
  assert.deepEqual(policy?.targetRefs, [{ kind: 'Namespace', namespace: 'shop', name: 'shop' }]);
  assert.deepEqual(
    diagnostics.map(({ object, field, message }) => `${object.name} ${field} ${message}`),
    [
      'p1 spec.authorization is of a policy that is not in force, as its namespace has too many; until it has fewer every call to them is denied: all Services of namespace shop',
      'p2 spec.tls is of a policy that is not in force, as its namespace has too many; until it has fewer they take mutual TLS only: all Services of namespace shop',
    ],
  );
});
