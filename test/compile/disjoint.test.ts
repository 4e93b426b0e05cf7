import assert from 'node:assert/strict';
import test from 'node:test';
import { clusterContributions, routeContributions } from '../../src/compile/contributions.js';
import type { EffectiveStanza } from '../../src/compile/effective.js';
import { merge } from '../../src/compile/merge.js';
import type { BackendContext } from '../../src/features/feature.js';
import { features } from '../../src/features/gen/index.js';
import { changesOf, policy } from './world.js';

/** Every stanza with as many fields as go together. */
const everything = `
  timeouts: {request: 3s, backendRequest: 1s},
  retry: {codes: [503], attempts: 3, backoff: 50ms},
  retryConstraint: {budget: {percent: 20, interval: 10s}, minRetryRate: {count: 3, interval: 1s}},
  loadBalancing: {type: ConsistentHash, consistentHash: {type: Header, header: {name: x-user}}, locality: {type: PreferZone}},
  circuitBreaker: {maxConnections: 1, maxPendingRequests: 1, maxParallelRequests: 1, maxParallelRetries: 1},
  outlierDetection: {consecutive5xxErrors: 5, consecutiveGatewayErrors: 5, interval: 10s, baseEjectionTime: 30s, maxEjectionTime: 60s, maxEjectionPercent: 50},
  connection: {connectTimeout: 1s, idleTimeout: 4s, maxRequestsPerConnection: 1, maxConnectionDuration: 1h},
  rules: [{name: all}]`;

const contexts: readonly BackendContext[] = (['HTTP', 'HTTP2', 'GRPC', 'TCP'] as const).flatMap((protocol) =>
  (['captured', 'explicit', 'grpc'] as const).map((client) => ({ protocol, client })),
);

const stanzas = changesOf(policy('everything', 'reviews', everything)).flatMap((change) =>
  change.kind === 'TrafficPolicy' ? Object.entries(change.object?.stanzas ?? {}) : [],
);
const owner = { kind: 'TrafficPolicy', namespace: 'shop', name: 'everything' };
const effective = new Map(
  stanzas.flatMap(([name, value]): [string, EffectiveStanza][] => (typeof value === 'object' && value !== null ? [[name, { value, policy: owner }]] : [])),
);

test('every client-side stanza is there', () => {
  assert.deepEqual(
    features.filter(({ side, name }) => side === 'Client' && !effective.has(name)),
    [],
  );
});

for (const context of contexts) {
  test(`no two stanzas write the same field of ${context.protocol} for ${context.client}`, () => {
    const clusters = clusterContributions(effective, context).map(({ parts }) => parts);
    const routes = routeContributions(effective, context).map(({ parts }) => parts);
    assert.deepEqual(merge<object>({}, clusters).clashes, []);
    assert.deepEqual(merge<object>({}, routes).clashes, []);
  });
}
