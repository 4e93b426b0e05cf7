import assert from 'node:assert/strict';
import test from 'node:test';
import { overriddenStanzas } from '../../src/compile/overridden.js';
import { policy, service, storeOf } from './world.js';

/** What each policy of a world is told, as `policy stanza < winner (scope)`, with `!` where only age decided. */
function told(...yaml: readonly string[]): readonly string[] {
  const store = storeOf(...yaml);
  return store
    .policies()
    .flatMap((each) =>
      overriddenStanzas(store.mesh, store.services(), each).map(
        ({ stanza, by, scope, conflict }) => `${each.key} ${stanza} <${conflict ? '!' : ''} ${by.namespace}/${by.name}${scope ? ` (${scope})` : ''}`,
      ),
    );
}

const timeouts = 'timeouts: {request: 1s}';

test('a younger policy of the same level loses everywhere, and only the stanzas that both have', () => {
  const world = [service('web', '10.0.0.1'), policy('a', 'web', timeouts), policy('b', 'web', `${timeouts}, connection: {connectTimeout: 1s}`)];
  assert.deepEqual(told(...world), ['shop/b timeouts <! shop/a']);
});

test('a consumer policy displaces the producer policy for its own callers only', () => {
  const world = [service('web', '10.0.0.1'), policy('producer', 'web', timeouts), policy('consumer', 'web', timeouts, 'checkout')];
  assert.deepEqual(told(...world), ['shop/producer timeouts < checkout/consumer (callers in namespace checkout)']);
});

test('a policy about one port displaces there only', () => {
  const two =
    '{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 80}, {name: http-b, port: 81}]}}';
  const port = `{apiVersion: weft.dev/v1alpha1, kind: TrafficPolicy, metadata: {name: port, namespace: shop}, spec: {targetRefs: [{kind: Service, name: web, sectionName: http}], ${timeouts}}}`;
  assert.deepEqual(told(two, policy('all', 'web', timeouts), port), ['shop/all timeouts < shop/port (port 80 of Service shop/web)']);
});

test('a policy for a Namespace gives way to that of a Service', () => {
  const defaults = `{apiVersion: weft.dev/v1alpha1, kind: TrafficPolicy, metadata: {name: defaults, namespace: shop}, spec: {targetRefs: [{kind: Namespace, name: shop}], ${timeouts}}}`;
  const world = [service('web', '10.0.0.1'), service('other', '10.0.0.2'), defaults, policy('web', 'web', timeouts)];
  assert.deepEqual(told(...world), ['shop/defaults timeouts < shop/web (port 9080 of Service shop/web)']);
});

test('stanzas that add up displace nobody', () => {
  const authorization = 'authorization: {rules: [{name: a, sources: [{type: Namespace, namespace: shop}]}]}';
  const world = [
    service('web', '10.0.0.1'),
    policy('a', 'web', `${authorization}, tls: {mode: Strict}`),
    policy('b', 'web', `${authorization}, tls: {mode: Permissive}`),
  ];
  assert.deepEqual(told(...world), ['shop/b tls <! shop/a']);
});
