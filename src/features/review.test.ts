import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reviewPolicy } from './review.js';

/** A policy whose rules match by this regular expression. */
function policy(value: string, mode = 'Enforce', names: readonly string[] = ['a']): unknown {
  const rules = names.map((name) => ({ name, matches: [{ path: { type: 'RegularExpression', value } }] }));
  const metadata = { name: 'a', namespace: 'shop', labels: { mode } };
  return { apiVersion: 'weft.dev/v1alpha1', kind: 'TrafficPolicy', metadata, spec: { targetRefs: [{ kind: 'Service', name: 'a' }], rules } };
}

test('a sound policy is allowed', () => {
  assert.deepEqual(reviewPolicy(policy('/a+')), { allowed: true, message: '', warnings: [] });
});

test('what is wrong is said with field, value and remedy', () => {
  const { allowed, message } = reviewPolicy(policy('(?=a)'));
  assert.equal(allowed, false);
  assert.match(message, /^spec\.rules\[0\]\.matches\[0\]\.path\.value: "\(\?=a\)": is not a regular expression in RE2.*; write it in the syntax of RE2/);
});

test('many problems are cut short', () => {
  const names = Array.from({ length: 16 }, (_, index) => `rule-${index}`);
  const lines = reviewPolicy(policy('[', 'Enforce', names)).message.split('\n');
  assert.equal(lines.length, 11);
  assert.equal(lines.at(-1), 'and 6 more');
});

test('a spec that stays as it is may be written, whatever is wrong with it', () => {
  const { allowed, warnings } = reviewPolicy(policy('(?=a)', 'new label'), policy('(?=a)'));
  assert.equal(allowed, true);
  assert.match(warnings.join(), /path\.value/);
  assert.equal(reviewPolicy(policy('(?=a)'), policy('(?=b)')).allowed, false, 'a spec that changes may not');
});

test('what is allowed and perhaps not meant is a warning', () => {
  const rules = [{ matches: [{ headers: [{ name: 'Host', value: 'a.example' }] }] }];
  const { allowed, warnings } = reviewPolicy({ ...Object(policy('/')), spec: { targetRefs: [{ kind: 'Service', name: 'a' }], rules } });
  assert.equal(allowed, true);
  assert.match(warnings.join(), /^spec\.rules\[0\]\.matches\[0\]\.headers\[0\]\.name: "Host": is not the Host that the caller wrote/);
});

test('nothing throws, whatever comes', () => {
  for (const raw of [undefined, null, 1, [], { spec: null }]) assert.equal(reviewPolicy(raw).allowed, false);
});
