import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deltaPeer } from '../../test/support/peer.js';
import { envoyOf, lines, only, routed, version } from '../../test/support/protocol.js';
import { createWorld } from '../../test/support/world.js';
import type { ResourceType } from '../envoy/resource.js';

test('delta: a first wildcard request is answered even when there is nothing', () => {
  const envoy = deltaPeer(createWorld());
  envoy.request('Cluster', {});
  assert.deepEqual(lines(envoy.drain()), ['Cluster']);
  envoy.request('ClusterLoadAssignment', {});
  assert.deepEqual(lines(envoy.drain()), []);
});

test('delta: a wildcard subscription is given the constants, and * stands for all of any type', () => {
  for (const resource_names_subscribe of [[], ['*']]) {
    const world = createWorld({ constants: [{ type: 'Listener', name: 'l' }] });
    world.set('Listener', 'l', '1');
    const envoy = deltaPeer(world);
    envoy.request('Listener', { resource_names_subscribe });
    assert.deepEqual(lines(envoy.settle()), ['Listener +l']);
  }
});

test('delta: a route that is asked for comes behind its clusters, and endpoints right behind their cluster', () => {
  const envoy = envoyOf(routed());
  envoy.request('VirtualHost', { resource_names_subscribe: ['r'] });
  assert.deepEqual(lines(envoy.settle()), ['Cluster +c', 'ClusterLoadAssignment +c', 'VirtualHost +r']);
});

test('delta: a changed cluster is followed by its endpoints although those have not changed; changed endpoints go alone', () => {
  const world = routed();
  const envoy = envoyOf(world);
  envoy.request('VirtualHost', { resource_names_subscribe: ['r'] });
  envoy.settle();
  world.set('Cluster', 'c', '2', [{ type: 'ClusterLoadAssignment', name: 'c' }]);
  assert.deepEqual(lines(envoy.settle()), ['Cluster +c', 'ClusterLoadAssignment +c']);
  world.set('ClusterLoadAssignment', 'c', '2');
  assert.deepEqual(lines(envoy.settle()), ['ClusterLoadAssignment +c']);
});

test('delta: a cluster that comes back is not preceded by its endpoints, which Envoy would drop', () => {
  const world = routed();
  const envoy = envoyOf(world);
  envoy.request('VirtualHost', { resource_names_subscribe: ['r'] });
  envoy.settle();
  world.set('VirtualHost', 'r', '2', []);
  envoy.settle();
  world.setRoute('r', ['c'], '3');
  assert.deepEqual(lines(envoy.settle()), ['Cluster +c', 'ClusterLoadAssignment +c', 'VirtualHost +r']);
});

test('delta: a request for endpoints that crosses the pushed ones is not answered again', () => {
  const envoy = envoyOf(routed());
  envoy.request('VirtualHost', { resource_names_subscribe: ['r'] });
  const replies = envoy.drain();
  envoy.request('ClusterLoadAssignment', { resource_names_subscribe: ['c'] });
  replies.forEach(envoy.ack);
  assert.deepEqual(lines(envoy.settle()), []);
});

test('delta: an explicit request is answered even if the client holds the resource', () => {
  const envoy = envoyOf(routed());
  envoy.request('VirtualHost', { resource_names_subscribe: ['r'] });
  envoy.settle();
  envoy.request('VirtualHost', { resource_names_subscribe: ['r', 'none'] });
  assert.deepEqual(lines(envoy.settle()), ['VirtualHost +r ?none']);
  envoy.request('VirtualHost', { resource_names_subscribe: ['none'] });
  assert.deepEqual(lines(envoy.settle()), ['VirtualHost ?none']);
});

test('delta: what does not exist is told: a virtual host without a body, other types as removed', () => {
  const world = createWorld();
  const envoy = envoyOf(world);
  envoy.request('VirtualHost', { resource_names_subscribe: ['r'] });
  envoy.request('Cluster', { resource_names_subscribe: ['c'] });
  envoy.request('ClusterLoadAssignment', { resource_names_subscribe: ['c'] });
  assert.deepEqual(lines(envoy.settle()), ['Cluster -c', 'ClusterLoadAssignment -c', 'VirtualHost ?r']);
  world.setRoute('r', ['c'], '1');
  assert.deepEqual(lines(envoy.settle()), ['Cluster +c', 'ClusterLoadAssignment +c', 'VirtualHost +r']);
});

test('delta: who has unsubscribed hears no more, until it asks again', () => {
  const world = createWorld();
  world.set('ClusterLoadAssignment', 'a', '1');
  const envoy = deltaPeer(world);
  envoy.request('ClusterLoadAssignment', { resource_names_subscribe: ['a'] });
  envoy.settle();
  envoy.request('ClusterLoadAssignment', { resource_names_unsubscribe: ['a'] });
  world.set('ClusterLoadAssignment', 'a', '2');
  assert.deepEqual(lines(envoy.settle()), []);
  assert.equal(world.snapshot.size(), 0);
  envoy.request('ClusterLoadAssignment', { resource_names_subscribe: ['a'] });
  assert.deepEqual(lines(envoy.settle()), ['ClusterLoadAssignment +a']);
});

test('delta: a stream that has unsubscribed from everything is not taken for one that begins', () => {
  const world = createWorld({ constants: [{ type: 'Cluster', name: 'k' }] });
  world.set('Cluster', 'k', '1');
  world.set('Cluster', 'a', '1');
  const envoy = deltaPeer(world);
  envoy.request('Cluster', { resource_names_subscribe: ['a'] });
  envoy.settle();
  envoy.request('Cluster', { resource_names_unsubscribe: ['a'] });
  envoy.request('Cluster', {});
  assert.deepEqual(lines(envoy.settle()), []);
});

test('delta: who wants everything and no longer asks for a name is told if it is not part of everything', () => {
  const world = createWorld();
  world.set('Listener', 'l', '1');
  const envoy = deltaPeer(world);
  envoy.request('Listener', { resource_names_subscribe: ['*', 'l'] });
  envoy.settle();
  envoy.request('Listener', { resource_names_unsubscribe: ['l'] });
  assert.deepEqual(lines(envoy.settle()), ['Listener -l']);
});

test('delta: a client that comes back with what it holds is sent what differs and told what has gone', () => {
  const world = createWorld();
  for (const name of ['same', 'changed', 'asked']) world.set('Cluster', name, '1');
  const same = version(world, 'Cluster', 'same');
  const asked = version(world, 'Cluster', 'asked');
  const envoy = deltaPeer(world);
  const initial_resource_versions = { same, changed: 'old', gone: 'old', asked };
  envoy.request('Cluster', { resource_names_subscribe: ['*', 'asked', 'new'], initial_resource_versions });
  world.set('Cluster', 'new', '1');
  assert.deepEqual(lines(envoy.settle()), ['Cluster +changed +new', 'Cluster -gone']);
  envoy.request('VirtualHost', { initial_resource_versions: { r: 'old' } });
  assert.deepEqual(lines(envoy.settle()), ['VirtualHost -r']);
});

test('delta: a client that comes back and lacks nothing is sent nothing', () => {
  const world = routed();
  const names: readonly ResourceType[] = ['Cluster', 'VirtualHost'];
  const envoy = deltaPeer(world);
  for (const type of names) {
    const name = type === 'Cluster' ? 'c' : 'r';
    envoy.request(type, { resource_names_subscribe: [], initial_resource_versions: { [name]: version(world, type, name) } });
  }
  envoy.request('ClusterLoadAssignment', { resource_names_subscribe: ['c'], initial_resource_versions: { c: version(world, 'ClusterLoadAssignment', 'c') } });
  assert.deepEqual(lines(envoy.settle()), []);
  world.set('VirtualHost', 'r', '2', [{ type: 'Cluster', name: 'c' }]);
  assert.deepEqual(lines(envoy.settle()), ['VirtualHost +r']);
});

test('delta: a cluster is taken away only when the route that used it is known to be gone from the client', () => {
  const world = routed();
  world.setRoute('other', ['d'], '1');
  const envoy = envoyOf(world);
  envoy.request('VirtualHost', { resource_names_subscribe: ['r', 'other'] });
  envoy.settle();
  world.setRoute('r', ['d'], '2');
  const replies = envoy.drain();
  assert.deepEqual(lines(replies), ['Cluster +d', 'ClusterLoadAssignment +d', 'VirtualHost +r']);
  for (const reply of replies.slice(0, 2)) envoy.ack(reply);
  assert.deepEqual(lines(envoy.drain()), []);
  for (const reply of replies.slice(2)) envoy.ack(reply);
  const removals = envoy.drain();
  assert.deepEqual(lines(removals), ['Cluster -c']);
  removals.forEach(envoy.ack);
  assert.deepEqual(lines(envoy.settle()), ['ClusterLoadAssignment -c']);
});

test('delta: a route that has gone is taken away before its cluster, and an unrelated refusal does not hold the cluster back', () => {
  const world = routed();
  world.set('VirtualHost', 'bad', '1');
  const envoy = envoyOf(world);
  envoy.request('VirtualHost', { resource_names_subscribe: ['r', 'bad'] });
  envoy.settle();
  world.set('VirtualHost', 'bad', '2');
  envoy.nack(only(envoy.drain()), 'bad is bad');
  world.remove('VirtualHost', 'r');
  const [route, ...rest] = envoy.drain();
  assert.deepEqual(lines(route ? [route, ...rest] : []), ['VirtualHost -r']);
  if (route) envoy.ack(route);
  assert.deepEqual(lines(envoy.settle()), ['Cluster -c', 'ClusterLoadAssignment -c']);
});

test('delta: a nonce is unique over the types of a stream', () => {
  const envoy = deltaPeer(routed());
  envoy.request('Cluster', {});
  envoy.request('VirtualHost', { resource_names_subscribe: ['*', 'r'] });
  const nonces = envoy.drain().map(({ nonce }) => nonce);
  assert.equal(new Set(nonces).size, nonces.length);
});

test('delta: many resources come in responses of bounded size, many removals too', () => {
  const world = createWorld();
  const names = Array.from({ length: 1_200 }, (_, index) => `c${index}`);
  for (const name of names) world.set('Cluster', name, '1');
  const envoy = deltaPeer(world);
  envoy.request('Cluster', { resource_names_subscribe: ['*', ...names] });
  assert.deepEqual(
    envoy.settle().map(({ sent }) => sent.length),
    [500, 500, 200],
  );
  for (const name of names) world.remove('Cluster', name);
  assert.deepEqual(
    envoy.settle().map(({ removed }) => removed.length),
    [500, 500, 200],
  );
  for (const name of names.slice(0, 3)) world.set('Cluster', name, 'x'.repeat(600_000));
  assert.deepEqual(
    envoy.settle().map(({ sent }) => sent.length),
    [2, 1],
  );
});

test('delta: finding the guilty one of a large response does not flood the client', () => {
  const world = createWorld();
  const names = Array.from({ length: 300 }, (_, index) => `v${index}`);
  for (const name of names) world.set('VirtualHost', name, '1');
  const envoy = deltaPeer(world);
  envoy.request('VirtualHost', { resource_names_subscribe: names });
  envoy.nack(only(envoy.drain()), 'one of them');
  const first = envoy.drain();
  assert.equal(first.length, 32);
  first.forEach(envoy.ack);
  assert.deepEqual([...first, ...envoy.settle()].flatMap(({ sent }) => sent).sort(), [...names].sort());
});

test('delta: a name too long to exist is answered and not remembered', () => {
  const world = createWorld();
  const envoy = deltaPeer(world);
  const name = 'x'.repeat(100_000);
  for (const type of ['VirtualHost', 'ClusterLoadAssignment'] as const) {
    envoy.request(type, { resource_names_subscribe: [name] });
    const { bodyless, removed } = only(envoy.settle());
    assert.deepEqual([...bodyless, ...removed], [name]);
    assert.equal(envoy.client.types.get(type)?.explicit.size, 0);
    assert.equal(envoy.client.types.get(type)?.held.size, 0);
  }
  assert.equal(world.snapshot.size(), 0);
});

test('delta: names asked in vain are all answered and remembered up to a limit; the latest ones are told when they appear', () => {
  for (const type of ['VirtualHost', 'ClusterLoadAssignment'] as const) {
    const world = createWorld({ limits: { vain: 2_048 } });
    const envoy = deltaPeer(world);
    const names = Array.from({ length: 3_000 }, (_, index) => `n${index}`);
    envoy.request(type, { resource_names_subscribe: names });
    const answered = envoy.settle().flatMap(({ bodyless, removed }) => [...bodyless, ...removed]);
    assert.deepEqual(answered.sort(), [...names].sort());
    const remembered = world.snapshot.size();
    assert.ok(remembered > 1_024 && remembered <= 2_048, String(remembered));
    assert.equal(envoy.client.types.get(type)?.explicit.size, remembered);
    world.set(type, 'n0', '1');
    world.set(type, 'n2999', '1');
    assert.deepEqual(lines(envoy.settle()), [`${type} +n2999`]);
  }
});

test('delta: a resource that goes while others are asked in vain is still taken from the client', () => {
  const world = createWorld({ limits: { vain: 2 } });
  world.set('VirtualHost', 'r', '1');
  const envoy = envoyOf(world);
  envoy.request('VirtualHost', { resource_names_subscribe: ['r'] });
  envoy.settle();
  world.remove('VirtualHost', 'r');
  envoy.request('VirtualHost', { resource_names_subscribe: ['x', 'y', 'z'] });
  assert.deepEqual(lines(envoy.settle()), ['VirtualHost ?x ?y ?z', 'VirtualHost -r']);
});
