import assert from 'node:assert/strict';
import { test } from 'node:test';
import { feature } from './index.js';

const captured = { client: 'captured', protocol: 'HTTP' } as const;

test('the budget is a share of the calls that began within the interval', () => {
  const parts = feature.cluster?.({ budget: { percent: 30, interval: '1m' }, minRetryRate: { count: 3, interval: '1s' } }, captured);
  assert.deepEqual(parts, { thresholds: { retry_budget: { budget_percent: { value: 30 }, budget_interval: '60s', min_retry_concurrency: 3 } } });
});

test('what is left out is as the Gateway API says: 20 per cent of 10 s, 10 a second', () => {
  assert.deepEqual(feature.cluster?.({}, captured), {
    thresholds: { retry_budget: { budget_percent: { value: 20 }, budget_interval: '10s', min_retry_concurrency: 10 } },
  });
});

test('a rate below one a second still allows one retry under way', () => {
  assert.equal(feature.cluster?.({ minRetryRate: { count: 1, interval: '10s' } }, captured).thresholds?.retry_budget?.min_retry_concurrency, 1);
});

test('proxyless gRPC has no budget', () => {
  assert.deepEqual(feature.cluster?.({}, { client: 'grpc', protocol: 'GRPC' }), {});
});
