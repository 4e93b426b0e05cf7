import assert from 'node:assert/strict';
import test from 'node:test';
import { createCompiler } from '../../src/compile/compiler.js';
import type { Audience } from '../../src/compile/contract.js';
import type { ResourceType } from '../../src/envoy/resource.js';
import { defaultMeshConfig } from '../../src/model/mesh-config.js';
import type { Change } from '../../src/sources/change.js';
import type { Store } from '../../src/sources/store.js';
import { changesOf, policy, service, slice, storeOf } from './world.js';

const anyone: Audience = { namespace: 'shop', zone: 'a', client: 'captured', explicitPort: 15001, serviceAccount: 'default', labels: {}, ports: new Map() };
const elsewhere: Audience = { ...anyone, namespace: 'checkout', zone: 'b' };
const { compile } = createCompiler();

type Name = readonly [ResourceType, string];

const vhost: Name = ['VirtualHost', 'out/10.0.0.1:9080'];
const cluster: Name = ['Cluster', 'reviews.shop:9080'];
const endpoints: Name = ['ClusterLoadAssignment', 'reviews.shop:9080'];
const others: readonly Name[] = [
  ['Listener', 'outbound'],
  ['VirtualHost', 'out/8.8.8.8:80'],
  ['Cluster', 'tcp_8.8.8.8:53'],
];

function shop(): Store {
  return storeOf(service('reviews', '10.0.0.1'), slice('reviews', { '10.1.0.1': 'a', '10.1.0.2': 'b' }), service('ratings', '10.0.0.2'));
}

const compiled = (store: Store, [type, name]: Name, audience = anyone) => compile(store.mesh, audience, type, name);
const message = (store: Store, name: Name, audience = anyone) => compiled(store, name, audience).message;

test('an unchanged world gives the same objects', () => {
  const store = shop();
  for (const name of [vhost, cluster, endpoints, ...others]) {
    assert.ok(message(store, name), name.join(' '));
    assert.equal(message(store, name), message(store, name), name.join(' '));
    assert.equal(compiled(store, name).references, compiled(store, name).references);
  }
});

test('audiences that do not differ for a resource share it', () => {
  const store = shop();
  for (const name of [vhost, cluster, endpoints]) assert.equal(message(store, name, anyone), message(store, name, elsewhere), name.join(' '));
});

test('a consumer policy changes what its own namespace gets, and nobody else', () => {
  const store = shop();
  const before = [vhost, cluster].map((name) => message(store, name));
  store.apply(changesOf(policy('client', 'reviews', 'timeouts: {request: 1s}', 'checkout')));
  assert.deepEqual(
    [vhost, cluster].map((name, index) => message(store, name) === before[index]),
    [true, true],
  );
  assert.notEqual(message(store, vhost, elsewhere), before[0]);
});

test('only a Service that prefers zones depends on the zone of the caller', () => {
  const store = shop();
  store.apply(changesOf(policy('zones', 'reviews', 'loadBalancing: {locality: {type: PreferZone}}')));
  assert.notEqual(message(store, endpoints, anyone), message(store, endpoints, elsewhere));
  assert.equal(message(store, cluster, anyone), message(store, cluster, elsewhere));
  assert.equal(message(store, endpoints, { ...anyone, zone: 'c' }), message(store, endpoints, { ...anyone, zone: '' }));
});

test('an endpoint change touches the load assignment and nothing else', () => {
  const store = shop();
  const all = [vhost, cluster, endpoints];
  const before = all.map((name) => compiled(store, name));
  const topics = store.apply(changesOf(slice('reviews', { '10.1.0.9': 'a' })));
  assert.deepEqual(
    before.map((each) => [...topics].some((topic) => each.topics.has(topic))),
    [false, false, true],
  );
  assert.deepEqual(
    all.map((name, index) => message(store, name) === before[index]?.message),
    [true, true, false],
  );
});

test('a change of the egress touches nothing that the mesh knows', () => {
  const store = shop();
  const names: readonly Name[] = [vhost, cluster, endpoints];
  const before = names.map((name) => compiled(store, name));
  const topics = store.apply([{ kind: 'Mesh', key: 'default', object: { ...defaultMeshConfig, egress: 'RegistryOnly' } }]);
  assert.deepEqual(
    before.map((each) => [...topics].some((topic) => each.topics.has(topic))),
    [false, false, false],
  );
});

test('a policy on one stanza leaves what other stanzas make as it is', () => {
  const store = shop();
  const [before, assignment] = [message(store, cluster), message(store, endpoints)];
  store.apply(changesOf(policy('limits', 'reviews', 'circuitBreaker: {maxConnections: 1}')));
  assert.notEqual(message(store, cluster), before);
  assert.equal(message(store, endpoints), assignment);
});

test('a policy in Shadow mode changes nothing, and displaces no other', () => {
  const store = shop();
  store.apply(changesOf(policy('b', 'reviews', 'timeouts: {request: 9s}')));
  const before = message(store, vhost);
  store.apply(changesOf(policy('a', 'reviews', 'mode: Shadow, timeouts: {request: 1s}, rules: [{matches: [{method: POST}]}]')));
  assert.equal(message(store, vhost), before);
  assert.deepEqual(compiled(store, vhost).diagnostics, []);
});

test('two policies that share a stanza, as an alias in YAML makes them, are still two', () => {
  const timeouts = { request: '1s' };
  const store = shop();
  const owners = ['reviews', 'ratings'].map((target) => {
    store.apply(changesOf(policy(target, target, 'timeouts: {request: 9s}')).map((change) => withStanza(change, timeouts)));
    const { provenance } = compiled(store, ['VirtualHost', `out/${target === 'reviews' ? '10.0.0.1' : '10.0.0.2'}:9080`]);
    return provenance.find(({ field }) => field === 'spec.timeouts')?.object.name;
  });
  assert.deepEqual(owners, ['reviews', 'ratings']);
});

function withStanza(change: Change, timeouts: object): Change {
  return change.kind === 'TrafficPolicy' && change.object ? { ...change, object: { ...change.object, stanzas: { timeouts } } } : change;
}
