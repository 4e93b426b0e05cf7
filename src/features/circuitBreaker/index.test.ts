import assert from 'node:assert/strict';
import { test } from 'node:test';
import { feature } from './index.js';

const all = { maxConnections: 512, maxPendingRequests: 128, maxParallelRequests: 1024, maxParallelRetries: 0 };

test('each limit is a threshold, and what is left out is left to Envoy', () => {
  const thresholds = { max_connections: 512, max_pending_requests: 128, max_requests: 1024, max_retries: 0 };
  assert.deepEqual(feature.cluster?.(all, { client: 'captured', protocol: 'HTTP' }), { thresholds });
  assert.deepEqual(feature.cluster?.({ maxConnections: 1 }, { client: 'explicit', protocol: 'TCP' }), { thresholds: { max_connections: 1 } });
});

test('proxyless gRPC gets the limit that it knows', () => {
  assert.deepEqual(feature.cluster?.(all, { client: 'grpc', protocol: 'GRPC' }), { thresholds: { max_requests: 1024 } });
});
