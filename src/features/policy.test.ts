import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Type } from 'typebox';
import { parse } from 'yaml';
import type { Feature } from './feature.js';
import { formWords } from './fields.js';
import { parsePolicy } from './policy.js';
import { checkPolicy } from './policy-check.js';
import { specSchema } from './policy-schema.js';

/** A policy with this spec, over a target that is fine. */
function policy(spec: object, metadata: object = {}): unknown {
  const targetRefs = [{ kind: 'Service', name: 'reviews' }];
  return {
    apiVersion: 'weft.dev/v1alpha1',
    kind: 'TrafficPolicy',
    metadata: { name: 'reviews', namespace: 'shop', ...metadata },
    spec: { targetRefs, ...spec },
  };
}

/** Its problems as `field: message (remedy)`. */
function problems(raw: unknown): readonly string[] {
  const { policy: parsed, diagnostics } = parsePolicy(raw);
  assert.equal(
    parsed === undefined,
    diagnostics.some(({ severity }) => severity === 'error'),
  );
  return diagnostics.map(({ field, message, remedy }) => `${field}: ${message} (${remedy})`);
}

test('the example is a policy without problems', async () => {
  const raw: unknown = parse(await readFile('examples/reviews-policy.yaml', 'utf8'));
  const { policy: parsed, diagnostics } = parsePolicy(raw);
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(parsed?.targetRefs, [{ kind: 'Service', namespace: 'bookshop', name: 'reviews', sectionName: 'http' }]);
  assert.deepEqual(Object.keys(parsed?.stanzas ?? {}), ['circuitBreaker', 'connection', 'loadBalancing', 'outlierDetection', 'retryConstraint', 'rules']);
});

test('an object as the API server gives it becomes the policy of the model', () => {
  const timeouts = { request: '1s' };
  const metadata = { creationTimestamp: '2026-01-02T03:04:05Z', generation: 7, uid: 'x', resourceVersion: '1', managedFields: [] };
  const { policy: parsed } = parsePolicy({ ...Object(policy({ timeouts, mode: 'Shadow' }, metadata)), status: { ancestors: [] } });
  assert.deepEqual(parsed, {
    key: 'shop/reviews',
    namespace: 'shop',
    name: 'reviews',
    creationTimestamp: '2026-01-02T03:04:05Z',
    generation: 7,
    targetRefs: [{ kind: 'Service', namespace: 'shop', name: 'reviews', sectionName: undefined }],
    mode: 'Shadow',
    stanzas: { timeouts },
  });
  assert.equal(parsed?.stanzas['timeouts'], timeouts, 'a stanza stays the same object');
});

test('without a namespace it is in default, and a target may be in another or be one', () => {
  const targetRefs = [
    { kind: 'Service', name: 'reviews', namespace: 'other' },
    { kind: 'Namespace', name: 'shop' },
  ];
  const { policy: parsed } = parsePolicy(policy({ targetRefs }, { namespace: undefined }));
  assert.equal(parsed?.key, 'default/reviews');
  assert.deepEqual(
    parsed?.targetRefs.map(({ namespace }) => namespace),
    ['other', 'shop'],
  );
});

test('an unknown field is told, with the one that was probably meant', () => {
  assert.deepEqual(problems(policy({ timeout: { request: '1s' } })), ['spec.timeout: is not a field of spec (did you mean timeouts?)']);
  assert.match(problems(policy({ retry: { atempts: 2 } })).join(), /^spec\.retry\.atempts: .*did you mean attempts\?/);
  assert.match(problems(policy({ retry: { whatever: 2 } })).join(), /one of the fields of spec\.retry: codes, attempts, backoff/);
});

test('the name of a label is a field, too', () => {
  const backendRefs = [{ name: 'a', port: 80, podSelector: { matchLabels: { 'a b': 'c', 'example.com/app': 'd' } } }];
  assert.match(
    problems(policy({ rules: [{ backendRefs }] })).join(),
    /^spec\.rules\[0\]\.backendRefs\[0\]\.podSelector\.matchLabels\["a b"\]: is not the name of a label/,
  );
});

test('many mistakes are told at once', () => {
  const rules = Array.from({ length: 16 }, () => ({ backendRef: [] }));
  assert.equal(problems(policy({ rules })).length, 16);
});

test('a wrong word is told with the words there are', () => {
  const { diagnostics } = parsePolicy(policy({ rules: [{ matches: [{ path: { type: 'Prefix', value: '/' } }] }] }));
  assert.deepEqual(diagnostics, [
    {
      severity: 'error',
      object: { kind: 'TrafficPolicy', namespace: 'shop', name: 'reviews' },
      field: 'spec.rules[0].matches[0].path.type',
      value: '"Prefix"',
      reason: 'UnsupportedValue',
      message: 'is not one of Exact, PathPrefix, RegularExpression',
      remedy: 'did you mean PathPrefix?',
    },
  ]);
});

test('types, bounds, missing fields and durations are told in words', () => {
  assert.match(problems(policy({ retry: { attempts: '2' } })).join(), /^spec\.retry\.attempts: must be a whole number/);
  assert.match(problems(policy({ retry: { attempts: 17 } })).join(), /must be at most 16 \(write a whole number from 0 to 16\)/);
  assert.match(
    problems(policy({ retry: null })).join(),
    /^spec\.retry: has no value \(write a map with fields of its own: codes, attempts, backoff; or remove/,
  );
  assert.match(
    problems(policy({ rules: [{ backendRefs: [{ name: 'a' }] }] })).join(),
    /^spec\.rules\[0\]\.backendRefs\[0\]\.port: is missing \(write a whole number from 1 to 65535: the port of the Service/,
  );
  assert.match(
    problems(policy({ timeouts: { request: '5 s' } })).join(),
    /^spec\.timeouts\.request: must be a duration such as 250ms, 10s or 1m30s \(write whole numbers/,
  );
  assert.match(problems(policy({ loadBalancing: { slowStart: { window: '0s' } } })).join(), /^spec\.loadBalancing\.slowStart\.window: must be at least 1ms/);
  assert.match(problems(policy({ connection: { idleTimeout: '25h' } })).join(), /must be at most 24h/);
  assert.match(problems(policy({ rules: [] })).join(), /^spec\.rules: must have at least 1 item /);
});

test('what to write is said in words, never as an expression or a schema', () => {
  const rules = (...list: readonly object[]) => problems(policy({ rules: list })).join();
  assert.match(rules({ backendRefs: [{ name: 'a', port: '80' }] }), /port: must be a whole number \(write 80 without quotation marks\)/);
  assert.match(rules({ matches: [{ headers: [{ name: 'a', value: true }] }] }), /value: must be text \(put it in quotation marks: "true"\)/);
  assert.match(rules({ matches: [{ headers: [{ name: 'a b', value: 'c' }] }] }), /name: must be the name of an HTTP header/);
  assert.match(rules({ backendRefs: [{ name: 'A_B', port: 80 }] }), /name: must be a name of lower-case letters/);
  assert.match(rules({ filters: { type: 'x' } }), /filters: must be a list \(write a list/);
  const redirect = (statusCode: number) => rules({ filters: [{ type: 'RequestRedirect', requestRedirect: { statusCode } }] });
  assert.match(redirect(306), /statusCode: is not one of 301, .* \(write one of 301/);
  assert.match(problems(policy({}, { name: 'P_1' })).join(), /^metadata\.name: must be a name of lower-case letters/);
});

test('a number that stands for a name wants quotation marks', () => {
  assert.deepEqual(problems(policy({}, { namespace: 7 })), ['metadata.namespace: must be text (put it in quotation marks: "7")']);
  assert.match(problems(policy({}, { namespace: -7 })).join(), /^metadata\.namespace: must be a name of lower-case letters/);
});

test('a duration out of bounds is told beside other mistakes', () => {
  const fields = parsePolicy(policy({ timeouts: { request: 5 }, connection: { connectTimeout: '0s' } })).diagnostics.map(({ field }) => field);
  assert.deepEqual(fields, ['spec.timeouts.request', 'spec.connection.connectTimeout']);
});

test('every pattern of the schema is told in words', () => {
  const withoutWords = (schema: unknown): boolean => {
    if (typeof schema !== 'object' || schema === null) return false;
    if ('pattern' in schema && typeof schema.pattern === 'string' && !(formWords in schema)) return true;
    return Object.values(schema).some(withoutWords);
  };
  assert.equal(withoutWords(specSchema), false);
});

test('what is listed must differ by its key', () => {
  assert.deepEqual(problems(policy({ retry: { codes: [503, 502, 503] } })), ['spec.retry.codes[2]: repeats item 0 (remove one of the two)']);
  const headers = [
    { name: 'a', value: '1' },
    { name: 'a', value: '2' },
  ];
  assert.match(problems(policy({ rules: [{ matches: [{ headers }] }] })).join(), /^spec\.rules\[0\]\.matches\[0\]\.headers\[1\]: repeats item 0/);
});

test('what a stanza checks is told under its field', () => {
  assert.match(problems(policy({ timeouts: { request: '1s', backendRequest: '2s' } })).join(), /^spec\.timeouts\.backendRequest: /);
  assert.match(problems(policy({ rules: [{ name: 'a' }, { name: 'a' }] })).join(), /^spec\.rules\[1\]\.name: /);
});

test('a port or another namespace goes with a Service only, and a target stands once', () => {
  const targetRefs = [
    { kind: 'Namespace', name: 'shop', sectionName: 'http', namespace: 'other' },
    { kind: 'Service', name: 'a' },
    { kind: 'Service', name: 'a', namespace: 'shop' },
  ];
  const fields = parsePolicy(policy({ targetRefs })).diagnostics.map(({ field }) => field);
  assert.deepEqual(fields, ['spec.targetRefs[0].sectionName', 'spec.targetRefs[0].namespace', 'spec.targetRefs[2]']);
  assert.match(problems(policy({ targetRefs: [] })).join(), /^spec\.targetRefs/);
});

test("a server-side stanza is for the Service's own namespace to say", () => {
  const server: Feature = { name: 'tls', side: 'Server', schema: Type.Object({}) };
  const check = (namespace: string) => {
    const parsed = parsePolicy(policy({ targetRefs: [{ kind: 'Service', name: 'a', namespace }] })).policy;
    assert.ok(parsed);
    return checkPolicy({ ...parsed, stanzas: { tls: {} } }, [], [server]).map(({ field }) => field);
  };
  assert.deepEqual(check('shop'), []);
  assert.deepEqual(check('other'), ['tls']);
  assert.deepEqual(
    problems(policy({ timeouts: {}, targetRefs: [{ kind: 'Service', name: 'a', namespace: 'other' }] })),
    [],
    'client side is for the callers to say',
  );
});

test('nothing throws, whatever comes', () => {
  const circular: Record<string, unknown> = {};
  circular['spec'] = circular;
  for (const raw of [
    undefined,
    null,
    1,
    'x',
    [],
    {},
    { spec: null },
    { metadata: 1 },
    circular,
    policy({ targetRefs: 7 }),
    { ...Object(policy({})), kind: 'Other' },
  ]) {
    assert.equal(parsePolicy(raw).policy, undefined);
    assert.ok(parsePolicy(raw).diagnostics.length > 0);
  }
});

test('a long value is shortened', () => {
  const [diagnostic] = parsePolicy(policy({ mode: 'x'.repeat(1000) })).diagnostics;
  assert.ok((diagnostic?.value?.length ?? 0) < 100);
});
