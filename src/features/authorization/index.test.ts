import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { encodeAny } from '../../envoy/encode.js';
import type { ServerContext, ServerStanza } from '../feature.js';
import { feature } from './index.js';
import { plainPath } from './path-pattern.js';
import type { Authorization, Rule, Source } from './schema.js';

const http: ServerContext = { protocol: 'HTTP', namespace: 'shop', service: 'reviews', port: 8080, trustDomain: 'cluster.local', isMtls: true };
const web: Source = { type: 'ServiceAccount', serviceAccount: { name: 'web' } };
const isWeb = { authenticated: { principal_name: { exact: 'spiffe://cluster.local/ns/shop/sa/web' } } };

function stanza(value: Authorization, name = 'p', mode: 'Enforce' | 'Shadow' = 'Enforce'): ServerStanza<Authorization> {
  return { value, policy: { kind: 'TrafficPolicy', namespace: 'shop', name }, mode };
}

/** The configurations of the filters, by name. */
function configsOf(stanzas: readonly ServerStanza<Authorization>[], context = http): Readonly<Record<string, ReturnType<typeof Object>>> {
  const { http: filters = [], network = [] } = feature.server?.(stanzas, context) ?? {};
  return Object.fromEntries(
    [...filters, ...network].map(({ name, typed_config }) => {
      encodeAny(typed_config ?? assert.fail('no configuration'));
      return [name, Object(typed_config)];
    }),
  );
}

const allowStep = 'weft.authorization.allow';
const denyStep = 'weft.authorization.deny';

test('a rule is known by its namespace, policy and name, and a caller by its certificate', () => {
  const configs = configsOf([stanza({ rules: [{ name: 'readers', sources: [web] }] })]);
  assert.deepEqual(Object.keys(configs), [allowStep]);
  assert.deepEqual(configs[allowStep].rules, { action: 'ALLOW', policies: { 'shop/p/readers': { permissions: [{ any: true }], principals: [isWeb] } } });
});

test('who is meant: another namespace, a whole one, an id, addresses', () => {
  const sources: Source[] = [
    { type: 'ServiceAccount', serviceAccount: { namespace: 'ops', name: 'admin' } },
    { type: 'Namespace', namespace: 'ops' },
    { type: 'SPIFFE', spiffe: 'spiffe://other/ns/a/sa/b' },
    { type: 'CIDR', cidr: 'fd00::/8' },
  ];
  const configs = configsOf([stanza({ rules: [{ name: 'a', sources }] })]);
  assert.deepEqual(configs[allowStep].rules.policies['shop/p/a'].principals, [
    { authenticated: { principal_name: { exact: 'spiffe://cluster.local/ns/ops/sa/admin' } } },
    { authenticated: { principal_name: { prefix: 'spiffe://cluster.local/ns/ops/sa/' } } },
    { authenticated: { principal_name: { exact: 'spiffe://other/ns/a/sa/b' } } },
    { direct_remote_ip: { address_prefix: 'fd00::', prefix_len: 8 } },
  ]);
});

test('in plaintext an Allow rule by identity means nobody, a Deny rule everybody', () => {
  const rules: Rule[] = [
    { name: 'a', sources: [web] },
    { name: 'd', action: 'Deny', sources: [web], matches: [{ port: 8080 }] },
  ];
  const configs = configsOf([stanza({ rules })], { ...http, isMtls: false });
  assert.deepEqual(configs[allowStep].rules.policies, {});
  assert.deepEqual(configs[denyStep].rules.policies, { 'shop/p/d': { permissions: [{ any: true }], principals: [{ any: true }] } });
});

test('policies add up: rules of all, and Deny as the default if one of them has it', () => {
  const open = stanza({ rules: [{ name: 'd', action: 'Deny', sources: [web] }] }, 'open');
  assert.deepEqual(Object.keys(configsOf([open])), [denyStep], 'only Deny rules leave the rest alone');
  const configs = configsOf([open, stanza({ rules: [{ name: 'a' }] }, 'closed')]);
  assert.deepEqual(Object.keys(configs), [denyStep, allowStep]);
  assert.deepEqual(Object.keys(configsOf([stanza({ defaultAction: 'Allow', rules: [{ name: 'a' }] })])), []);
  assert.deepEqual(configsOf([stanza({ defaultAction: 'Deny' })])[allowStep].rules, { action: 'ALLOW', policies: {} });
});

test('Shadow changes nothing, and is told beside', () => {
  const shadowed = stanza({ rules: [{ name: 'd', action: 'Deny', mode: 'Shadow' }] });
  const all = stanza({ rules: [{ name: 'd', action: 'Deny' }] }, 'p', 'Shadow');
  for (const stanzas of [[shadowed], [all]]) {
    const { rules, shadow_rules } = configsOf(stanzas)[denyStep];
    assert.equal(rules, undefined);
    assert.deepEqual(Object.keys(shadow_rules.policies), ['shop/p/d']);
  }
  assert.ok('authorization_shadow' in (feature.server?.([shadowed], http).accessLog ?? {}));
  assert.equal(feature.server?.([shadowed], http).manager?.normalize_path, true, 'the policy is in force');
  assert.equal(feature.server?.([all], http).manager, undefined, 'nothing is in force');
});

test('for TCP the rules in force run in Shadow mode too, which is how Envoy tells of them, and those that are not stand before them', () => {
  const stanzas = [stanza({ rules: [{ name: 'a', sources: [web] }] }), stanza({ rules: [{ name: 'b', action: 'Deny' }] }, 'q', 'Shadow')];
  const tcp: ServerContext = { ...http, protocol: 'TCP' };
  const configs = configsOf(stanzas, tcp);
  assert.deepEqual(Object.keys(configs), ['weft.authorization.deny.shadow', 'weft.authorization.allow.shadow', allowStep]);
  assert.equal(configs['weft.authorization.deny.shadow'].rules, undefined);
  assert.deepEqual(configs[allowStep].shadow_rules, configs[allowStep].rules);
  const { authorization_rule } = feature.server?.(stanzas, tcp).accessLog ?? {};
  assert.equal(authorization_rule, `%DYNAMIC_METADATA(envoy.filters.network.rbac:${configs[allowStep].shadow_rules_stat_prefix}shadow_effective_policy_id)%`);
});

test('the header comes only if asked for, before what it tells of', () => {
  const rules = [{ name: 'a' }];
  assert.deepEqual(Object.keys(configsOf([stanza({ responseHeader: 'Rule', rules })])), ['weft.authorization.header', allowStep]);
  assert.deepEqual(Object.keys(configsOf([stanza({ responseHeader: 'Rule', rules }, 'p', 'Shadow')])), [allowStep]);
});

test('a match for another port is none', () => {
  const configs = configsOf([stanza({ rules: [{ name: 'a', matches: [{ port: 9090 }] }] })]);
  assert.deepEqual(configs[allowStep].rules.policies, {});
});

test('on a TCP port what needs HTTP allows nobody, denies everybody, and is reported', () => {
  const matches = [{ path: { value: '/a' } }];
  const value: Authorization = {
    rules: [
      { name: 'a', matches },
      { name: 'd', action: 'Deny', matches },
    ],
  };
  const tcp: ServerContext = { ...http, protocol: 'TCP' };
  const configs = configsOf([stanza(value)], tcp);
  assert.deepEqual(configs[allowStep].rules.policies, {});
  assert.deepEqual(configs[denyStep].rules.policies['shop/p/d'].permissions, [{ any: true }]);
  assert.deepEqual(
    feature.server?.([stanza(value)], tcp).problems?.map(({ field, severity }) => `${severity} ${field}`),
    ['warning rules[0].matches[0]', 'warning rules[1].matches[0]'],
  );
});

test('what the schema does not see', () => {
  const fields = (value: Authorization) => feature.check?.(value).map(({ severity, field }) => `${severity} ${field}`);
  const one = (rule: Omit<Rule, 'name'>) => fields({ rules: [{ name: 'a', ...rule }] });
  assert.deepEqual(fields({}), ['error ']);
  assert.deepEqual(one({ sources: [{ type: 'CIDR' }] }), ['error rules[0].sources[0].cidr']);
  assert.deepEqual(one({ sources: [{ type: 'Namespace', namespace: 'a', cidr: '::/0' }] }), ['error rules[0].sources[0].cidr']);
  for (const cidr of ['10.0.0.0/33', '10.0.0/8', '1::2::3/64', '::1/129', '10.0.0.256/8'])
    assert.deepEqual(one({ sources: [{ type: 'CIDR', cidr }] }), ['error rules[0].sources[0].cidr']);
  for (const cidr of ['10.0.0.0/8', '::/0', 'fd00::1:2/128', '1:2:3:4:5:6:7:8/64']) assert.deepEqual(one({ sources: [{ type: 'CIDR', cidr }] }), []);
  const headers = ['x-a', 'X-A', 'Host', 'X-Forwarded-For'].map((name) => ({ name, value: 'v' }));
  assert.deepEqual(one({ matches: [{ headers }] }), [
    'error rules[0].matches[0].headers[1].name',
    'error rules[0].matches[0].headers[2].name',
    'warning rules[0].matches[0].headers[3].name',
  ]);
});

test('an Allow rule means a path as it is, a Deny rule what some servers take for it', () => {
  const expressionOf = (path: object) => {
    const configs = configsOf([stanza({ rules: [{ name: 'd', action: 'Deny', matches: [{ path }] }] })]);
    const { or_rules } = configs[denyStep].rules.policies['shop/p/d'].permissions[0];
    return new RegExp(`^(?:${or_rules.rules[0].url_path.path.safe_regex.regex.replace('(?i)', '')})$`, 'i');
  };
  const denied: Readonly<Record<string, readonly [object, boolean]>> = {
    '/ADMIN': [{ value: '/admin' }, true],
    '/admin./x': [{ value: '/admin/' }, true],
    '/admin%20.': [{ type: 'Exact', value: '/admin' }, true],
    '/admin/x': [{ type: 'Exact', value: '/admin' }, false],
    '/a.b': [{ type: 'Exact', value: '/a.b' }, true],
    '/a': [{ type: 'Exact', value: '/a.' }, true],
    '/axb': [{ type: 'Exact', value: '/a.b' }, false],
    '/administrator': [{ value: '/admin' }, false],
    '/': [{ type: 'Exact', value: '/' }, true],
  };
  for (const [path, [match, isDenied]] of Object.entries(denied)) assert.equal(expressionOf(match).test(path), isDenied, `${path} ${JSON.stringify(match)}`);
  const configs = configsOf([stanza({ rules: [{ name: 'a', matches: [{ path: { value: '/public/' } }] }] })]);
  const [either, { not_rule }] = configs[allowStep].rules.policies['shop/p/a'].permissions[0].and_rules.rules;
  assert.deepEqual(either.or_rules.rules, [{ url_path: { path: { exact: '/public' } } }, { url_path: { path: { prefix: '/public/' } } }]);
  assert.equal(not_rule.or_rules.rules[0].not_rule.url_path.path.safe_regex.regex, plainPath);
});

test('a path is plain or not, in JavaScript and in RE2 alike, and however long it is', () => {
  const [script, re2] = [new RegExp(plainPath), RE2JS.compile(plainPath)];
  const plain = ['/', '/a', '/a/', '/a.b/..c/d...', '/a%20b', '/caf%C3%A9', '/a%22', "/~!$&'()*+,=:@-_", '/%F0%9F%8D%BA'];
  const not = [
    '',
    'a',
    '//',
    '/a//b',
    '/./a',
    '/a/..',
    '/...',
    '/a/%20',
    '/%20.%20/a',
    '/a;b',
    '/a?b',
    '/a#b',
    '/a\\b',
    '/a b',
    '/[a]',
    '/%2F',
    '/%5c',
    '/%00',
    '/%25',
    '/%61',
    '/%',
    '/%c0%af',
    '/%e0%80%af',
    '/%ff',
    '/é',
  ];
  for (const path of plain) assert.deepEqual([script.test(path), re2.matches(path)], [true, true], path);
  for (const path of not) assert.deepEqual([script.test(path), re2.matches(path)], [false, false], path);
  for (const part of ['.', 'a.', '/a', '%20']) assert.equal(script.test(`/${part.repeat(300_000)};`), false);
  fc.assert(
    fc.property(fc.array(fc.constantFrom('/', 'a', '.', '%20', '%2e', ';', '%C3', '%A9', '%'), { maxLength: 12 }), (parts) => {
      const path = `/${parts.join('')}`;
      assert.equal(script.test(path), re2.matches(path), path);
    }),
  );
});
