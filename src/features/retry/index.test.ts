import assert from 'node:assert/strict';
import { test } from 'node:test';
import { feature } from './index.js';

const captured = { client: 'captured', protocol: 'HTTP' } as const;
const grpc = { client: 'grpc', protocol: 'GRPC' } as const;

test('an empty stanza retries once, on what gets no answer, at another endpoint', () => {
  const policy = feature.route?.({}, captured).retryPolicy;
  assert.equal(policy?.retry_on, 'reset');
  assert.equal(policy?.num_retries, 1);
  assert.equal(policy?.retry_host_predicate?.[0]?.name, 'envoy.retry_host_predicates.previous_hosts');
});

test('codes are retried too, in ascending order', () => {
  const policy = feature.route?.({ codes: [504, 502], attempts: 3, backoff: '50ms' }, captured).retryPolicy;
  assert.equal(policy?.retry_on, 'reset,retriable-status-codes');
  assert.deepEqual(policy?.retriable_status_codes, [502, 504]);
  assert.equal(policy?.num_retries, 3);
  assert.deepEqual(policy?.retry_back_off, { base_interval: '0.05s' });
});

test('0 attempts switch retries off', () => {
  assert.deepEqual(feature.route?.({ attempts: 0, codes: [503] }, captured), { retryPolicy: { num_retries: 0 } });
});

test('proxyless gRPC gets a gRPC status, and no policy at all for 0 attempts, which it would refuse', () => {
  assert.deepEqual(feature.route?.({ codes: [503], attempts: 2 }, grpc), { retryPolicy: { retry_on: 'unavailable', num_retries: 2 } });
  assert.deepEqual(feature.route?.({ attempts: 0 }, grpc), {});
});
