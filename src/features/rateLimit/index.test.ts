import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeAny } from '../../envoy/encode.js';
import type { ServerContext } from '../feature.js';
import { feature } from './index.js';
import type { RateLimit, Rule } from './schema.js';

const policy = { kind: 'TrafficPolicy', namespace: 'shop', name: 'p' };
const http: ServerContext = { protocol: 'HTTP', namespace: 'shop', service: 'reviews', port: 8080, trustDomain: 'cluster.local', isMtls: true };
const limit = { requests: 200, burst: 50 };

function server(rules: readonly Rule[], context: ServerContext, mode: 'Enforce' | 'Shadow' = 'Enforce') {
  const value: RateLimit = { type: 'Local', local: { rules: [...rules] } };
  return feature.server?.([{ value, policy, mode }], context) ?? {};
}

/** The filters' configurations, which Envoy's vocabulary has. */
function configsOf(rules: readonly Rule[], context = http, mode: 'Enforce' | 'Shadow' = 'Enforce') {
  return (server(rules, context, mode).http ?? []).map(({ typed_config }) => {
    encodeAny(typed_config ?? assert.fail('no configuration'));
    return Object(typed_config);
  });
}

/** That of the only filter. */
function configOf(rules: readonly Rule[], context = http) {
  const [config, ...others] = configsOf(rules, context);
  assert.equal(others.length, 0);
  return config;
}

test('a limit by caller has a bucket for each name in a certificate', () => {
  const { descriptors, rate_limits } = configOf([{ name: 'each', key: 'ClientIdentity', limit }]);
  assert.deepEqual(descriptors, [
    { entries: [{ key: 'rule', value: 'shop/p/each' }, { key: 'caller' }], token_bucket: { max_tokens: 50, tokens_per_fill: 200, fill_interval: '1s' } },
  ]);
  assert.equal(rate_limits[0].actions[1].extension.typed_config.text, 'connection.uri_san_peer_certificate');
});

test('in plaintext nobody has a name, and all share a bucket', () => {
  const { descriptors } = configOf([{ name: 'each', key: 'ClientIdentity', limit }], { ...http, isMtls: false });
  assert.deepEqual(descriptors[0].entries, [{ key: 'rule', value: 'shop/p/each' }]);
});

test('a path is matched with and without a query, and no further', () => {
  const { rate_limits } = configOf([{ name: 'cart', match: { method: 'POST', path: { value: '/cart.v1/' } }, limit }]);
  assert.deepEqual(rate_limits[0].actions[0].header_value_match.headers, [
    { name: ':method', string_match: { exact: 'POST' } },
    { name: ':path', string_match: { safe_regex: { regex: '/cart\\.v1(?:[/?].*)?' } } },
  ]);
});

test('a limit by header has a bucket for each short value, and one more that no value leads to', () => {
  const { descriptors, rate_limits } = configOf([{ name: 'user', key: 'Header', header: { name: 'x-user' }, limit }]);
  const keys = descriptors.map(({ entries }: { readonly entries: readonly [unknown, unknown] }) => entries[1]);
  assert.deepEqual(keys, [{ key: 'header' }, { key: 'none', value: 'header' }]);
  assert.equal(rate_limits.length, 2);
});

test('paths are normalized where a limit is about one, and is in force', () => {
  const searched: Rule = { name: 'search', match: { path: { value: '/search' } }, limit };
  assert.equal(server([searched], http).manager?.merge_slashes, true);
  assert.equal(server([{ ...searched, mode: 'Shadow' }], http).manager, undefined);
  assert.equal(server([{ name: 'all', limit }], http).manager, undefined);
});

test('Shadow counts only, in a filter of its own for each rule, whether the rule or its policy says so', () => {
  for (const configs of [configsOf([{ name: 'a', mode: 'Shadow', limit }]), configsOf([{ name: 'a', limit }], http, 'Shadow')]) {
    assert.deepEqual(
      configs.map(({ stat_prefix, filter_enforced }) => [stat_prefix, filter_enforced.default_value.numerator]),
      [['weft.rate_limit_shadow.shop/p/a', 0]],
    );
  }
  const both = configsOf([
    { name: 'a', mode: 'Shadow', limit },
    { name: 'b', limit },
  ]);
  assert.deepEqual(
    both.map(({ descriptors }) => descriptors.length),
    [1, 1],
  );
});

test('a TCP port counts connections, and says of what it cannot count', () => {
  const {
    http: none,
    network = [],
    problems = [],
  } = server(
    [
      { name: 'all', limit },
      { name: 'each', key: 'ClientIdentity', limit },
    ],
    { ...http, protocol: 'TCP' },
  );
  assert.equal(none, undefined);
  assert.deepEqual(
    network.map(({ name }) => name),
    ['weft.ratelimit.shop/p/all'],
  );
  assert.deepEqual(
    problems.map(({ field }) => field),
    ['local.rules[1]'],
  );
});

test('key and header go together', () => {
  const fields = (rule: Omit<Rule, 'name' | 'limit'>) =>
    feature.check?.({ type: 'Local', local: { rules: [{ name: 'a', limit, ...rule }] } }).map(({ field }) => field);
  assert.deepEqual(fields({ key: 'Header' }), ['local.rules[0].header']);
  assert.deepEqual(fields({ header: { name: 'x-user' } }), ['local.rules[0].header']);
  assert.deepEqual(
    feature.check?.({ type: 'Local' }).map(({ field }) => field),
    ['local'],
  );
});
