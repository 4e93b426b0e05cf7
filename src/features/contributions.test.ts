/** The contributions of all stanzas together: what they write is Envoy's, and no two write the same field. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { encode } from '../envoy/encode.js';
import type { BackendContext, ClusterParts, Feature, RouteParts } from './feature.js';
import { features } from './gen/index.js';
import { validate } from './validate.js';

const retries = {
  retry: { codes: [503], attempts: 2, backoff: '50ms' },
  retryConstraint: { budget: { percent: 20 } },
  timeouts: { request: '3s', backendRequest: '1s' },
};
const load = { type: 'ConsistentHash', consistentHash: { type: 'Header', header: { name: 'x-user' } }, locality: { type: 'PreferZone' } };

/** A stanza of each kind, with as many fields as go together. */
const sample: Readonly<Record<string, unknown>> = {
  ...retries,
  circuitBreaker: { maxConnections: 512, maxPendingRequests: 128, maxParallelRequests: 1024, maxParallelRetries: 5 },
  connection: { connectTimeout: '1s', idleTimeout: '4s', maxRequestsPerConnection: 100, maxConnectionDuration: '1h' },
  loadBalancing: load,
  outlierDetection: {
    consecutive5xxErrors: 5,
    consecutiveGatewayErrors: 3,
    interval: '10s',
    baseEjectionTime: '30s',
    maxEjectionTime: '5m',
    maxEjectionPercent: 50,
  },
  rules: [{ name: 'all', backendRefs: [{ name: 'reviews', port: 80 }] }],
};

const contexts: readonly BackendContext[] = (['captured', 'explicit', 'grpc'] as const).flatMap((client) =>
  (['HTTP', 'HTTP2', 'GRPC', 'TCP'] as const).map((protocol) => ({ client, protocol })),
);

const all: readonly Feature[] = features;

test('each stanza is called as its folder is', async () => {
  const written = await readFile('src/features/gen/index.ts', 'utf8');
  for (const { name } of all) assert.ok(written.includes(`feature as ${name} } from '../${name}/index.js'`), name);
});

test('there is a sample of every stanza, and its schema and check accept it', () => {
  for (const { name, schema, check } of all) {
    assert.ok(name in sample, `no sample of ${name}`);
    assert.deepEqual(validate(schema, sample[name]), [], name);
    assert.deepEqual(check?.(sample[name]) ?? [], [], name);
  }
});

function* fragments(parts: ClusterParts & RouteParts): Iterable<string> {
  for (const [fragment, message] of Object.entries(parts)) for (const field of Object.keys(message)) yield `${fragment}.${field}`;
}

for (const context of contexts) {
  const label = `${context.client} ${context.protocol}`;
  const parts = all.map(({ name, cluster, route }) => ({ name, ...cluster?.(sample[name], context), ...route?.(sample[name], context) }));

  test(`no two stanzas write the same field: ${label}`, () => {
    const writers = new Map<string, string>();
    for (const { name, ...own } of parts) {
      for (const field of fragments(own)) {
        assert.equal(writers.get(field), undefined, `${name} and ${writers.get(field)} both write ${field}`);
        writers.set(field, name);
      }
    }
  });

  test(`what they write is in Envoy's vocabulary: ${label}`, () => {
    for (const { cluster, httpProtocolOptions, thresholds, route, action, retryPolicy } of parts) {
      encode('envoy.config.cluster.v3.Cluster', { ...cluster, circuit_breakers: { thresholds: [{ ...thresholds }] } });
      encode('envoy.extensions.upstreams.http.v3.HttpProtocolOptions', { ...httpProtocolOptions });
      encode('envoy.config.route.v3.Route', { ...route, route: { ...action, retry_policy: { ...retryPolicy } } });
    }
  });
}
