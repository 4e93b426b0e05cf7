import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Value } from 'typebox/value';
import { check } from './check.js';
import { type Rule, rules } from './schema.js';

/** Each problem of these rules as `field: message`; they must be such as the schema accepts. */
function problems(...list: readonly Rule[]): readonly string[] {
  assert.ok(Value.Check(rules, list), JSON.stringify(Value.Errors(rules, list)));
  return check([...list]).map(({ field, message }) => `${field}: ${message}`);
}

const backend = { name: 'reviews', port: 80 };
const redirect: NonNullable<Rule['filters']>[number] = { type: 'RequestRedirect', requestRedirect: { scheme: 'https' } };
const prefix = { type: 'ReplacePrefixMatch', replacePrefixMatch: '/new' } as const;

test('rules without problems', () => {
  const matches: Rule['matches'] = [{ path: { value: '/a%20b' } }, { path: { type: 'RegularExpression', value: '/[0-9]+' } }, { method: 'GET' }];
  assert.deepEqual(problems({}, { name: 'a', matches }, { name: 'b', filters: [redirect] }), []);
});

test('names are unique', () => {
  assert.deepEqual(problems({ name: 'a' }, { name: 'b' }, { name: 'a' }), ['[2].name: is the name of rule 0 already']);
});

test('all rules together have at most 128 matches, a rule without matches counting as one', () => {
  const full = { matches: Array.from({ length: 64 }, () => ({})) };
  assert.deepEqual(problems(full, full), []);
  assert.deepEqual(problems(full, full, {}), [': the rules have 129 matches in all, and 128 are allowed']);
});

test('a path must be one that can come', () => {
  const paths = ['reviews', '/a//b', '/a/../b', '/a/..', '/a#b', '/a%2fb', '/a b', '/a?b=c'];
  for (const value of paths) assert.equal(problems({ matches: [{ path: { type: 'Exact', value } }] }).length, 1, value);
  for (const value of ['/', '/a.b/...', '/%7Ea', '/a:b@c']) assert.deepEqual(problems({ matches: [{ path: { type: 'Exact', value } }] }), [], value);
});

test('an expression must be RE2, at most 1,024 characters, and not too large', () => {
  const bad = ['/a(?=b)', '(/a)\\1', '['];
  for (const value of bad) {
    const type = 'RegularExpression';
    const found = problems({ matches: [{ headers: [{ type, name: 'x', value }], queryParams: [{ type, name: 'x', value }] }] });
    assert.equal(found.length, 2, value);
    assert.match(found.join(), /\[0\]\.matches\[0\]\.headers\[0\]\.value.*\[0\]\.matches\[0\]\.queryParams\[0\]\.value/);
  }
  assert.match(problems({ matches: [{ path: { type: 'RegularExpression', value: '\\pL{1000}'.repeat(4) } }] }).join(), /instructions/);
  assert.match(problems({ matches: [{ headers: [{ type: 'RegularExpression', name: 'x', value: 'a'.repeat(1025) }] }] }).join(), /1025 characters/);
});

test('a header stands once in a match, whatever its case; a query parameter has a case', () => {
  const twice = [
    { name: 'Id', value: '1' },
    { name: 'id', value: '2' },
  ];
  assert.deepEqual(problems({ matches: [{ headers: twice, queryParams: twice }] }), ['[0].matches[0].headers[1].name: is the name of item 0 already']);
});

test('a match by Host is warned of, since redirected calls are known by their address', () => {
  const found = check([{ matches: [{ headers: [{ name: 'Host', value: 'a.example' }] }] }]);
  assert.deepEqual(
    found.map(({ severity, field }) => `${severity} ${field}`),
    ['warning [0].matches[0].headers[0].name'],
  );
});

test('a filter has the field of its type, and no other', () => {
  assert.deepEqual(problems({ filters: [{ type: 'URLRewrite', requestMirror: { backendRef: backend } }] }), [
    '[0].filters[0].urlRewrite: is missing',
    '[0].filters[0].requestMirror: does not go with type URLRewrite',
  ]);
  assert.deepEqual(problems({ filters: [{ type: 'URLRewrite', urlRewrite: { path: { type: 'ReplaceFullPath', replacePrefixMatch: '/' } } }] }), [
    '[0].filters[0].urlRewrite.path.replaceFullPath: is missing',
    '[0].filters[0].urlRewrite.path.replacePrefixMatch: does not go with type ReplaceFullPath',
  ]);
});

test('a prefix is replaced only where a prefix is matched', () => {
  const filters: Rule['filters'] = [{ type: 'URLRewrite', urlRewrite: { path: prefix } }];
  assert.deepEqual(problems({ filters }, { filters, matches: [{ path: { value: '/old' } }, { method: 'GET' }] }), []);
  const [problem] = problems({ filters, matches: [{ path: { value: '/old' } }, { path: { type: 'Exact', value: '/older' } }] });
  assert.match(problem ?? '', /^\[0\]\.filters\[0\]\.urlRewrite\.path\.type: .*matches\[1\] is of type Exact/);
  assert.equal(
    problems({ filters: [{ type: 'RequestRedirect', requestRedirect: { path: prefix } }], matches: [{ path: { type: 'Exact', value: '/a' } }] }).length,
    1,
  );
});

test('a redirect goes with neither backends nor a rewrite', () => {
  assert.match(problems({ filters: [redirect], backendRefs: [backend] }).join(), /^\[0\]\.filters\[0\]\.type: does not go with backendRefs/);
  assert.match(
    problems({ filters: [{ type: 'URLRewrite', urlRewrite: { hostname: 'a.b' } }, redirect] }).join(),
    /^\[0\]\.filters\[1\]\.type: does not go with URLRewrite/,
  );
});

test('a filter stands once, except for mirrors', () => {
  const mirror: typeof redirect = { type: 'RequestMirror', requestMirror: { backendRef: backend } };
  assert.deepEqual(problems({ filters: [redirect, redirect, mirror, mirror] }), ['[0].filters[1].type: stands in filters[0] already']);
});

test('one thing is done to each header', () => {
  const requestHeaderModifier = { set: [{ name: 'A', value: '1' }], add: [{ name: 'b', value: '1' }], remove: ['a', 'c'] };
  const found = problems({ filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier }] });
  assert.deepEqual(found, ['[0].filters[0].requestHeaderModifier.remove[0]: is named in set[0].name already']);
});

test('a Host can be set in a request, and nothing else', () => {
  const value = 'shop.example';
  const fields = (modifier: object) =>
    problems({ filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: modifier }] }).map((each) => each.split(':')[0]);
  assert.deepEqual(fields({ set: [{ name: 'Host', value }] }), []);
  assert.deepEqual(fields({ add: [{ name: 'Host', value }] }), ['[0].filters[0].requestHeaderModifier.add[0].name']);
  assert.deepEqual(fields({ remove: ['host'] }), ['[0].filters[0].requestHeaderModifier.remove[0]']);
  const responseHeaderModifier = { set: [{ name: 'host', value }] };
  assert.equal(problems({ filters: [{ type: 'ResponseHeaderModifier', responseHeaderModifier }] }).length, 1);
});

test('the value of a header that is set is one line', () => {
  for (const value of ['a\nb', 'a\rb', 'a\u0000', '\u007f'])
    assert.ok(!Value.Check(rules, [{ filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'a', value }] } }] }]), value);
  for (const value of ['a b', 'a\tb', '100%', 'é'])
    assert.ok(Value.Check(rules, [{ filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'a', value }] } }] }]), value);
});

test('a path is replaced by one that can be sent', () => {
  const replace = (replaceFullPath: string) =>
    problems({ filters: [{ type: 'URLRewrite', urlRewrite: { path: { type: 'ReplaceFullPath', replaceFullPath } } }] });
  for (const value of ['foo', '/a b', '/a\nb', '/a?b=c', '/a#b', '/%zz']) assert.equal(replace(value).length, 1, value);
  for (const value of ['', '/', '/a%20b', '/a/b;c=d']) assert.deepEqual(replace(value), [], value);
  const path = { type: 'ReplacePrefixMatch', replacePrefixMatch: 'new' } as const;
  assert.deepEqual(problems({ filters: [{ type: 'RequestRedirect', requestRedirect: { path } }] }), [
    '[0].filters[0].requestRedirect.path.replacePrefixMatch: must begin with /',
  ]);
});

test('a mirror says how much once, and at most all', () => {
  const mirror = (amount: object) => problems({ filters: [{ type: 'RequestMirror', requestMirror: { backendRef: backend, ...amount } }] }).join();
  assert.match(mirror({ percent: 1, fraction: { numerator: 1 } }), /fraction: does not go with percent/);
  assert.match(mirror({ fraction: { numerator: 101 } }), /numerator: must not exceed the denominator, which is 100/);
  assert.equal(mirror({ fraction: { numerator: 1, denominator: 1000 } }), '');
});

test('a single backend has its headers changed, and nothing else', () => {
  const add: typeof redirect = { type: 'ResponseHeaderModifier', responseHeaderModifier: { add: [{ name: 'x', value: 'y' }] } };
  assert.deepEqual(problems({ backendRefs: [{ ...backend, filters: [add] }] }), []);
  assert.match(problems({ backendRefs: [{ ...backend, filters: [redirect] }] }).join(), /^\[0\]\.backendRefs\[0\]\.filters\[0\]\.type/);
});

test("a rule's timeouts are checked as the stanza is", () => {
  assert.match(problems({ timeouts: { request: '1s', backendRequest: '2s' } }).join(), /^\[0\]\.timeouts\.backendRequest/);
});

test('expressions that would take long to compile are not compiled', () => {
  const type = 'RegularExpression' as const;
  const costly = Array.from({ length: 16 }, (_, index) => ({ type, name: `x-${index}`, value: '(?:a{0,1000})'.repeat(78) }));
  const matches = Array.from({ length: 64 }, () => ({ headers: costly }));
  assert.deepEqual(problems({ matches }), [': the 1024 regular expressions of the rules are too large together']);
  assert.match(problems({ matches: [{ headers: costly.slice(0, 1) }] }).join(), /value: compiles to more than 3000 instructions/);
});
