import assert from 'node:assert/strict';
import { test } from 'node:test';
import { feature } from './index.js';

const all = { connectTimeout: '1s', idleTimeout: '0s', maxRequestsPerConnection: 100, maxConnectionDuration: '1h' };

test('connecting is a matter of the Cluster, the rest one of HTTP', () => {
  assert.deepEqual(feature.cluster?.(all, { client: 'captured', protocol: 'HTTP2' }), {
    cluster: { connect_timeout: '1s' },
    httpProtocolOptions: { common_http_protocol_options: { idle_timeout: '0s', max_requests_per_connection: 100, max_connection_duration: '3600s' } },
  });
});

test('a duration of 0s is none, which Envoy would take for an instant', () => {
  assert.deepEqual(feature.cluster?.({ maxConnectionDuration: '0s' }, { client: 'captured', protocol: 'HTTP' }), {});
});

test('a TCP backend has no HTTP options, and proxyless gRPC gets nothing', () => {
  assert.deepEqual(feature.cluster?.(all, { client: 'captured', protocol: 'TCP' }), { cluster: { connect_timeout: '1s' } });
  assert.deepEqual(feature.cluster?.(all, { client: 'grpc', protocol: 'GRPC' }), {});
});
