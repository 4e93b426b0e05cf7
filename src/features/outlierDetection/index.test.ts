import assert from 'node:assert/strict';
import { test } from 'node:test';
import { feature } from './index.js';

const captured = { client: 'captured', protocol: 'HTTP' } as const;
const detection = (stanza: Parameters<NonNullable<typeof feature.cluster>>[0]) => feature.cluster?.(stanza, captured).cluster?.outlier_detection;

test('the fields of the stanza are those of Envoy', () => {
  const stanza = { consecutive5xxErrors: 7, interval: '5s', baseEjectionTime: '1m', maxEjectionTime: '1h', maxEjectionPercent: 50 };
  assert.deepEqual(detection(stanza), {
    consecutive_5xx: 7,
    enforcing_consecutive_5xx: 100,
    enforcing_success_rate: 0,
    interval: '5s',
    base_ejection_time: '60s',
    max_ejection_time: '3600s',
    max_ejection_percent: 50,
    always_eject_one_host: true,
  });
});

test('gateway errors eject only where they are spoken of, and 0 switches a detection off', () => {
  assert.equal(detection({})?.enforcing_consecutive_gateway_failure, undefined);
  assert.equal(detection({ consecutiveGatewayErrors: 3 })?.enforcing_consecutive_gateway_failure, 100);
  assert.equal(detection({ consecutive5xxErrors: 0 })?.enforcing_consecutive_5xx, 0);
});

test('0 per cent means that no endpoint is ejected, not even one', () => {
  assert.equal(detection({ maxEjectionPercent: 0 })?.always_eject_one_host, undefined);
});

test('proxyless gRPC gets nothing', () => {
  assert.deepEqual(feature.cluster?.({ consecutive5xxErrors: 7 }, { client: 'grpc', protocol: 'GRPC' }), {});
});

test('an ejection that may last less than the first one does is an error, since Envoy refuses it', () => {
  const problems = (stanza: Parameters<NonNullable<typeof feature.check>>[0]) => feature.check?.(stanza).map(({ field }) => field);
  assert.deepEqual(problems({ maxEjectionTime: '29s' }), ['maxEjectionTime']);
  assert.deepEqual(problems({ baseEjectionTime: '1m', maxEjectionTime: '30s' }), ['maxEjectionTime']);
  assert.deepEqual(problems({ baseEjectionTime: '1m', maxEjectionTime: '1m' }), []);
  assert.deepEqual(problems({ baseEjectionTime: '10m' }), []);
});
