/** The contributions of all stanzas together: what they write is Envoy's, and no two write the same field. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { encode, encodeAny } from '../envoy/encode.js';
import type { BackendContext, ClusterParts, Feature, RouteParts, ServerContext } from './feature.js';
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
  authorization: {
    defaultAction: 'Deny',
    rules: [
      { name: 'readers', sources: [{ type: 'ServiceAccount', serviceAccount: { name: 'web' } }], matches: [{ method: 'GET', path: { value: '/reviews' } }] },
    ],
  },
  rateLimit: {
    type: 'Local',
    local: {
      rules: [
        { name: 'each', key: 'ClientIdentity', limit: { requests: 200, unit: 'Second', burst: 50 } },
        { name: 'search', match: { path: { value: '/search' } }, limit: { requests: 10 } },
      ],
    },
  },
  tls: { mode: 'Strict' },
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

const serverContexts: readonly ServerContext[] = (['HTTP', 'HTTP2', 'GRPC', 'TCP'] as const).flatMap((protocol) =>
  [true, false].map((isMtls) => ({ protocol, isMtls, namespace: 'shop', service: 'reviews', port: 8080, trustDomain: 'cluster.local' })),
);

for (const context of serverContexts) {
  test(`what the server's side gets is in Envoy's vocabulary, each field and filter once: ${context.protocol}, ${context.isMtls ? 'mutual TLS' : 'plaintext'}`, () => {
    const policy = { kind: 'TrafficPolicy', namespace: 'shop', name: 'p' };
    const parts = all.flatMap(({ name, server }) => server?.([{ value: sample[name], policy }], context) ?? []);
    const filters = parts.flatMap(({ http = [], network = [] }) => [...http, ...network]);
    for (const { typed_config } of filters) encodeAny(typed_config ?? assert.fail('no configuration'));
    for (const { manager = {} } of parts) encode('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', manager);
    const managed = new Map(
      parts.flatMap(({ manager = {} }) => Object.entries(manager)).map(([field, value]) => [`${field}: ${JSON.stringify(value)}`, field]),
    );
    const written = [...filters.map(({ name }) => name), ...managed.values(), ...parts.flatMap(({ accessLog = {} }) => Object.keys(accessLog))];
    assert.deepEqual(written, [...new Set(written)]);
    assert.equal(
      parts.some(({ http }) => http?.length),
      context.protocol !== 'TCP',
    );
  });
}
