import assert from 'node:assert/strict';
import { test } from 'node:test';
import { feature } from './index.js';

const captured = { client: 'captured', protocol: 'HTTP' } as const;
const grpc = { client: 'grpc', protocol: 'GRPC' } as const;

test('request is the timeout of the route, and 0s stays 0s, which switches it off', () => {
  assert.deepEqual(feature.route?.({ request: '1m30s' }, captured), { action: { timeout: '90s' } });
  assert.deepEqual(feature.route?.({ request: '0s' }, captured), { action: { timeout: '0s' } });
  assert.deepEqual(feature.route?.({}, captured), {});
});

test('backendRequest bounds each try; 0s is no bound', () => {
  assert.deepEqual(feature.route?.({ backendRequest: '250ms' }, captured), { retryPolicy: { per_try_timeout: '0.25s' } });
  assert.deepEqual(feature.route?.({ backendRequest: '0s' }, captured), {});
});

test('proxyless gRPC reads max_stream_duration, and knows no bound on a try', () => {
  assert.deepEqual(feature.route?.({ request: '2s', backendRequest: '1s' }, grpc), { action: { max_stream_duration: { max_stream_duration: '2s' } } });
});

test('a try may not outlast the request, unless the request has no limit', () => {
  const [problem] = feature.check?.({ request: '1s', backendRequest: '1001ms' }) ?? [];
  assert.deepEqual([problem?.severity, problem?.field, problem?.value], ['error', 'backendRequest', '1001ms']);
  for (const fine of [{ request: '1s', backendRequest: '1000ms' }, { request: '0s', backendRequest: '1h' }, { backendRequest: '1h' }])
    assert.deepEqual(feature.check?.(fine), []);
});
