import assert from 'node:assert/strict';
import { test } from 'node:test';
import { feature, localityOf } from './index.js';

const captured = { client: 'captured', protocol: 'HTTP' } as const;
const grpc = { client: 'grpc', protocol: 'GRPC' } as const;
const byHeader = { type: 'ConsistentHash', consistentHash: { type: 'Header', header: { name: 'X-User' } } } as const;
const byCookie = { type: 'ConsistentHash', consistentHash: { type: 'Cookie', cookie: { name: 'session', path: '/', ttl: '1h' } } } as const;

test('the least loaded of two is the default, with a slow start if one is asked for', () => {
  assert.deepEqual(feature.cluster?.({}, captured), { cluster: { lb_policy: 'LEAST_REQUEST' } });
  const slow = { slow_start_config: { slow_start_window: '30s' } };
  assert.deepEqual(feature.cluster?.({ slowStart: { window: '30s' } }, captured).cluster?.least_request_lb_config, slow);
  assert.deepEqual(feature.cluster?.({ type: 'RoundRobin', slowStart: { window: '30s' } }, captured).cluster, {
    lb_policy: 'ROUND_ROBIN',
    round_robin_lb_config: slow,
  });
  assert.deepEqual(feature.cluster?.({ type: 'Random' }, captured).cluster, { lb_policy: 'RANDOM' });
});

test('what is hashed stands on the Cluster, for HTTP only', () => {
  const header = { hash_policy: [{ header: { header_name: 'x-user' } }] };
  assert.deepEqual(feature.cluster?.(byHeader, captured), { cluster: { lb_policy: 'RING_HASH' }, httpProtocolOptions: header });
  assert.deepEqual(feature.cluster?.(byCookie, captured).httpProtocolOptions, { hash_policy: [{ cookie: { name: 'session', path: '/', ttl: '3600s' } }] });
  assert.equal(feature.cluster?.(byHeader, { client: 'captured', protocol: 'TCP' }).httpProtocolOptions, undefined);
  assert.deepEqual(feature.route?.(byHeader, captured), {});
});

test('proxyless gRPC gets a policy that it does not refuse, and its hash policy on the route', () => {
  for (const type of ['LeastRequest', 'Random', 'RoundRobin'] as const)
    assert.deepEqual(feature.cluster?.({ type }, grpc), { cluster: { lb_policy: 'ROUND_ROBIN' } });
  assert.deepEqual(feature.cluster?.(byCookie, grpc), { cluster: { lb_policy: 'ROUND_ROBIN' } });
  assert.deepEqual(feature.cluster?.(byHeader, grpc), { cluster: { lb_policy: 'RING_HASH' } });
  assert.deepEqual(feature.route?.(byHeader, grpc), { action: { hash_policy: [{ header: { header_name: 'x-user' } }] } });
});

test('what does not go together is refused', () => {
  const fields = (stanza: Parameters<NonNullable<typeof feature.check>>[0]) => feature.check?.(stanza).map(({ field }) => field);
  assert.deepEqual(fields({ type: 'ConsistentHash' }), ['consistentHash']);
  assert.deepEqual(fields({ consistentHash: { type: 'SourceIP' } }), ['consistentHash']);
  assert.deepEqual(fields({ type: 'Random', slowStart: { window: '1s' } }), ['slowStart']);
  assert.deepEqual(fields({ type: 'ConsistentHash', consistentHash: { type: 'Header', cookie: { name: 'a' } } }), [
    'consistentHash.header',
    'consistentHash.cookie',
  ]);
  assert.deepEqual(fields(byCookie), []);
});

test('the zone matters only where the stanza says so', () => {
  assert.equal(localityOf(undefined), undefined);
  assert.equal(localityOf({}), undefined);
  assert.deepEqual(localityOf({ locality: { type: 'PreferZone' } }), { type: 'PreferZone', minHealthyPercent: 70 });
});
