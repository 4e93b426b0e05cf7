import assert from 'node:assert/strict';
import test from 'node:test';
import { createCompiler } from '../../src/compile/compiler.js';
import type { Audience } from '../../src/compile/contract.js';
import { changesOf, policy, service, slice, storeOf } from './world.js';

const captured: Audience = { namespace: 'shop', zone: '', client: 'captured', explicitPort: 15001, serviceAccount: 'default', labels: {}, ports: new Map() };
const { compile } = createCompiler();

const refusing = '{apiVersion: weft.dev/v1alpha1, kind: Mesh, metadata: {name: default}, spec: {egress: RegistryOnly}}';

/** Each step makes a resource that was asked for before; its topics must have foretold it. */
const steps: readonly (readonly [string, readonly string[], string, 'VirtualHost' | 'Cluster' | 'Listener', string, Audience['client']])[] = [
  ['a name that appears', [], service('reviews', '10.0.0.1'), 'VirtualHost', 'out/reviews.shop:9080', 'explicit'],
  ['an address that appears', [], service('reviews', '10.0.0.1'), 'VirtualHost', 'out/10.0.0.1:9080', 'captured'],
  ['a target of gRPC that appears', [], service('reviews', '10.0.0.1'), 'Listener', 'reviews.shop:9080', 'grpc'],
  ['a cluster that appears', [], service('reviews', '10.0.0.1'), 'Cluster', 'reviews.shop:9080', 'captured'],
  ['TCP to an address that appears', [], service('reviews', '10.0.0.1'), 'Cluster', 'tcp_10.0.0.1:9080', 'captured'],
  ['a pod that appears', [service('db', 'None')], slice('db', { '10.1.0.1': 'a' }), 'VirtualHost', 'out/10.1.0.1:8080', 'captured'],
  ['a first policy', [service('reviews', '10.0.0.1')], policy('p', 'reviews', 'timeouts: {request: 1s}'), 'VirtualHost', 'out/10.0.0.1:9080', 'captured'],
  [
    'a missing backend that appears',
    [service('reviews', '10.0.0.1'), policy('p', 'reviews', 'rules: [{backendRefs: [{name: ratings, port: 9080}]}]')],
    service('ratings', '10.0.0.2'),
    'VirtualHost',
    'out/10.0.0.1:9080',
    'captured',
  ],
  ['an egress that refuses addresses', [], refusing, 'Cluster', 'tcp_8.8.8.8:53', 'captured'],
  ['an egress that refuses requests', [], refusing, 'VirtualHost', 'out/8.8.8.8:80', 'captured'],
  ['an egress that refuses names', [], refusing, 'VirtualHost', 'out/unknown.example', 'explicit'],
  ['an egress that asks for outside addresses', [], refusing, 'Listener', 'outbound', 'captured'],
  ['a first HTTP port', [], service('reviews', '10.0.0.1'), 'Listener', 'outbound', 'captured'],
];

for (const [what, before, change, type, name, client] of steps) {
  test(`${what} is announced under a topic of what was compiled without it`, () => {
    const store = storeOf(...before);
    const first = compile(store.mesh, { ...captured, client }, type, name);
    const announced = store.apply(changesOf(change));
    assert.ok(
      [...announced].some((topic) => first.topics.has(topic)),
      `${[...announced]} against ${[...first.topics]}`,
    );
    const second = compile(store.mesh, { ...captured, client }, type, name);
    assert.ok(second.message);
    assert.notDeepEqual(second.message, first.message);
  });
}
