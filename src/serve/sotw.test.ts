import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sotwPeer } from '../../test/support/peer.js';
import { lines, only, routed } from '../../test/support/protocol.js';
import { createWorld } from '../../test/support/world.js';

test('sotw: clusters and listeners always come whole, however many there are', () => {
  const world = createWorld();
  const names = Array.from({ length: 1_200 }, (_, index) => `c${index}`);
  for (const name of names) world.set('Cluster', name, '1');
  const envoy = sotwPeer(world);
  envoy.request('Cluster', { resource_names: ['*', ...names] });
  assert.equal(only(envoy.settle()).sent.length, 1_200);
  world.set('Cluster', 'c7', '2');
  world.remove('Cluster', 'c8');
  const replies = envoy.settle();
  assert.deepEqual(
    replies.map(({ sent }) => sent.length),
    [1_200, 1_199],
  );
});

test('sotw: an empty first request is a wildcard for clusters; after names it means no names any more', () => {
  const world = createWorld({ constants: [{ type: 'Cluster', name: 'k' }] });
  world.set('Cluster', 'k', '1');
  world.set('Cluster', 'a', '1');
  const wildcard = sotwPeer(world);
  wildcard.request('Cluster', {});
  assert.deepEqual(lines(wildcard.settle()), ['Cluster +k']);
  const named = sotwPeer(world);
  named.request('Cluster', { resource_names: ['a'] });
  const reply = only(named.settle());
  assert.deepEqual(reply.sent, ['a']);
  named.request('Cluster', { resource_names: [], response_nonce: reply.nonce });
  named.request('Cluster', { resource_names: [], response_nonce: reply.nonce });
  world.set('Cluster', 'a', '2');
  assert.deepEqual(lines(named.settle()), []);
});

test('sotw: endpoints and routes come by name, only the changed ones, and a longer list is answered with the new names', () => {
  const world = createWorld();
  for (const name of ['a', 'b']) world.set('ClusterLoadAssignment', name, '1');
  const envoy = sotwPeer(world);
  envoy.request('ClusterLoadAssignment', { resource_names: ['a'] });
  const { nonce } = only(envoy.settle());
  envoy.request('ClusterLoadAssignment', { resource_names: ['a', 'b', 'none'], response_nonce: nonce });
  const second = only(envoy.settle());
  assert.deepEqual(second.sent, ['b']);
  world.set('ClusterLoadAssignment', 'a', '2');
  assert.deepEqual(only(envoy.settle()).sent, ['a']);
  world.remove('ClusterLoadAssignment', 'a');
  assert.deepEqual(lines(envoy.settle()), []);
});

test('sotw: one response of a type at a time, the latest state after it, and never a route before its clusters', () => {
  const world = routed();
  const envoy = sotwPeer(world);
  envoy.request('Cluster', { resource_names: ['*'] });
  envoy.request('VirtualHost', { resource_names: ['r'] });
  const first = envoy.drain();
  assert.deepEqual(lines(first), ['Cluster +c', 'VirtualHost +r']);
  world.setRoute('r', ['d'], '2');
  world.setRoute('r', ['e'], '3');
  assert.deepEqual(lines(envoy.drain()), []);
  for (const reply of first.filter(({ type }) => type === 'VirtualHost')) envoy.ack(reply);
  assert.deepEqual(lines(envoy.drain()), [], 'the route has to wait for its cluster');
  for (const reply of first.filter(({ type }) => type === 'Cluster')) envoy.ack(reply);
  assert.deepEqual(lines(envoy.settle()), ['Cluster +c +e', 'VirtualHost +r', 'Cluster +e']);
});

test('sotw: a removal too waits for the acknowledgement, so that no answer is taken for a stale one', () => {
  const world = createWorld();
  for (const name of ['a', 'b']) world.set('Cluster', name, '1');
  const envoy = sotwPeer(world);
  envoy.request('Cluster', { resource_names: ['*', 'a', 'b'] });
  envoy.settle();
  world.set('Cluster', 'a', '2');
  world.remove('Cluster', 'b');
  const change = only(envoy.drain());
  assert.deepEqual(change.sent, ['a', 'b']);
  envoy.ack(change);
  assert.deepEqual(only(envoy.settle()).sent, ['a']);
  world.set('Cluster', 'a', '3');
  assert.deepEqual(only(envoy.settle()).sent, ['a']);
});

test('sotw: a stale nonce is passed over, names and all', () => {
  const world = createWorld();
  for (const name of ['a', 'b']) world.set('ClusterLoadAssignment', name, '1');
  const envoy = sotwPeer(world);
  envoy.request('ClusterLoadAssignment', { resource_names: ['a'] });
  const first = only(envoy.settle());
  world.set('ClusterLoadAssignment', 'a', '2');
  const second = only(envoy.drain());
  envoy.request('ClusterLoadAssignment', { resource_names: ['a', 'b'], response_nonce: first.nonce });
  assert.deepEqual(lines(envoy.drain()), []);
  envoy.request('ClusterLoadAssignment', { resource_names: ['a', 'b'], response_nonce: second.nonce });
  assert.deepEqual(only(envoy.drain()).sent, ['b']);
});

test('sotw: after a refusal the guilty cluster keeps its last good version and the others move on, in one response', () => {
  const world = createWorld();
  for (const name of ['a', 'ab', 'c']) world.set('Cluster', name, '1');
  const envoy = sotwPeer(world);
  envoy.request('Cluster', { resource_names: ['*', 'a', 'ab', 'c'] });
  const good = only(envoy.settle());
  for (const name of ['a', 'ab', 'c']) world.set('Cluster', name, '2');
  const bad = only(envoy.drain());
  envoy.nack(bad, 'Error adding cluster(s) ab: no');
  const retry = only(envoy.settle());
  assert.equal(retry.versions.get('ab'), good.versions.get('ab'));
  assert.equal(retry.versions.get('a'), bad.versions.get('a'));
  assert.equal(retry.versions.get('c'), bad.versions.get('c'));
});

test('sotw: a refusal that names nobody is not repeated, and the last good version stays part of what is whole', () => {
  const world = createWorld();
  for (const name of ['a', 'b']) world.set('Cluster', name, '1');
  const envoy = sotwPeer(world);
  envoy.request('Cluster', { resource_names: ['*', 'a', 'b'] });
  const good = only(envoy.settle());
  world.set('Cluster', 'a', '2');
  const racing = only(envoy.drain());
  world.set('Cluster', 'a', '3');
  envoy.ack(racing);
  envoy.nack(only(envoy.drain()), 'no');
  assert.deepEqual(lines(envoy.drain()), []);
  world.set('Cluster', 'b', '2');
  const next = only(envoy.settle());
  assert.deepEqual(next.sent, ['a', 'b']);
  assert.equal(next.versions.get('a'), racing.versions.get('a'));
  assert.notEqual(next.versions.get('b'), good.versions.get('b'));
});
