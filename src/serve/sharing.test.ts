import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deltaPeer } from '../../test/support/peer.js';
import { envoyOf, lines, only, routed } from '../../test/support/protocol.js';
import { classOf, createWorld } from '../../test/support/world.js';

test('a scope learns a bounded number of names; further ones are answered as absent', () => {
  const world = createWorld({ limits: { learned: 2 } });
  for (const name of ['a', 'b', 'c']) world.set('VirtualHost', name, '1');
  const envoy = envoyOf(world);
  envoy.request('VirtualHost', { resource_names_subscribe: ['a', 'b', 'c'] });
  assert.deepEqual(lines(envoy.settle()), ['VirtualHost +a +b ?c']);
});

test('a new replica starts with what its siblings have learned, and siblings hear at once, in other zones too', () => {
  const world = routed();
  const first = envoyOf(world, 'a');
  const second = envoyOf(world, 'a');
  const elsewhere = envoyOf(world, 'b');
  first.request('VirtualHost', { resource_names_subscribe: ['r'] });
  const expected = ['Cluster +c', 'ClusterLoadAssignment +c', 'VirtualHost +r'];
  for (const sibling of [first, second, elsewhere]) assert.deepEqual(lines(sibling.settle()), expected);
  for (const zone of ['a', 'c']) {
    const late = deltaPeer(world, classOf(zone));
    late.request('Cluster', {});
    late.request('VirtualHost', {});
    assert.deepEqual(lines(late.settle()), expected);
  }
  const stranger = deltaPeer(world, classOf('a', 'shop/other'));
  stranger.request('VirtualHost', {});
  assert.deepEqual(lines(stranger.settle()), ['VirtualHost']);
});

test('a scope outlives its last client for a while, and the longest unused ones go first', () => {
  const world = routed({ limits: { idle: 1 } });
  const learn = (workload: string) => {
    const envoy = deltaPeer(world, classOf('a', workload));
    envoy.request('VirtualHost', { resource_names_subscribe: ['*', 'r'] });
    envoy.settle();
    envoy.close();
  };
  const knows = (workload: string) => {
    const envoy = deltaPeer(world, classOf('a', workload));
    envoy.request('VirtualHost', {});
    const { sent } = only(envoy.settle());
    envoy.close();
    return sent.length > 0;
  };
  learn('one');
  assert.equal(knows('one'), true);
  learn('two');
  assert.equal(world.scopes.size(), 1);
  assert.equal(knows('two'), true);
  assert.equal(knows('one'), false);
});

test('a client that goes takes with it what it alone wanted', () => {
  const world = createWorld({ limits: { idle: 0 } });
  world.set('ClusterLoadAssignment', 'c', '1');
  world.set('Secret', 's', '1');
  const envoy = deltaPeer(world);
  envoy.request('ClusterLoadAssignment', { resource_names_subscribe: ['c', 'none'] });
  envoy.request('Secret', { resource_names_subscribe: ['s'] });
  envoy.settle();
  assert.equal(world.snapshot.size(), 3);
  envoy.close();
  assert.equal(world.snapshot.size(), 0);
  assert.equal(world.scopes.size(), 0);
});

test('a client is woken by what it wants or has, and by nothing else', () => {
  const world = routed();
  world.set('VirtualHost', 'other', '1');
  const envoy = deltaPeer(world);
  envoy.request('VirtualHost', { resource_names_subscribe: ['r'] });
  envoy.settle();
  const before = envoy.wakes();
  world.set('VirtualHost', 'other', '2');
  world.set('ClusterLoadAssignment', 'c', '2');
  assert.equal(envoy.wakes(), before);
  world.set('VirtualHost', 'r', '2');
  assert.ok(envoy.wakes() > before);
});
