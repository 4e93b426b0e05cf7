import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deltaPeer } from '../../test/support/peer.js';
import { envoyOf, lines, only, routed } from '../../test/support/protocol.js';
import { createWorld } from '../../test/support/world.js';
import { heldResources } from './csds.js';

test('delta: the cluster of a route that the client refuses to give up stays', () => {
  const world = routed();
  const envoy = envoyOf(world);
  envoy.request('VirtualHost', { resource_names_subscribe: ['r'] });
  envoy.settle();
  world.setRoute('d-only', ['d'], '1');
  world.set('VirtualHost', 'r', '2', [{ type: 'Cluster', name: 'd' }]);
  const sibling = envoyOf(world);
  sibling.settle();
  for (const reply of envoy.drain()) {
    if (reply.type === 'VirtualHost') envoy.nack(reply, 'no');
    else envoy.ack(reply);
  }
  assert.deepEqual(lines(envoy.settle()), []);
  world.set('VirtualHost', 'r', '3', [{ type: 'Cluster', name: 'd' }]);
  assert.deepEqual(lines(envoy.settle()), ['VirtualHost +r', 'Cluster -c', 'ClusterLoadAssignment -c']);
});

test('delta: the names of a refused response are sent one by one, the absent ones too, and only the guilty one is given up', () => {
  const world = createWorld();
  for (const name of ['a', 'b', 'bad']) world.set('VirtualHost', name, '1');
  const envoy = envoyOf(world);
  envoy.request('VirtualHost', { resource_names_subscribe: ['a', 'bad', 'b', 'none'] });
  envoy.nack(only(envoy.drain()), 'something is wrong');
  const retries = envoy.drain();
  assert.deepEqual(retries.flatMap(({ sent }) => sent).sort(), ['a', 'b', 'bad']);
  assert.ok(retries.every(({ sent }) => sent.length <= 1));
  assert.deepEqual(
    retries.flatMap(({ bodyless }) => bodyless),
    ['none'],
  );
  for (const reply of retries) {
    if (reply.sent.includes('bad')) envoy.nack(reply, 'still wrong');
    else envoy.ack(reply);
  }
  assert.deepEqual(lines(envoy.settle()).at(0), 'VirtualHost ?bad', 'what waits for it is released');
  const states = heldResources(envoy.client).map(({ name, state, refused }) => `${name} ${state} ${refused?.message ?? ''}`.trim());
  assert.deepEqual(states, ['a Synced', 'b Synced', 'bad Rejected still wrong', 'none Absent']);
  world.set('VirtualHost', 'bad', '2');
  assert.deepEqual(lines(envoy.settle()), ['VirtualHost +bad']);
  assert.ok(heldResources(envoy.client).every(({ refused }) => !refused));
});

test('delta: a neighbour that the client held already is sent again after a refusal: a request may wait for it', () => {
  const world = createWorld();
  world.set('VirtualHost', 'a', '1');
  const envoy = envoyOf(world);
  envoy.request('VirtualHost', { resource_names_subscribe: ['a'] });
  envoy.settle();
  world.set('VirtualHost', 'bad', '1');
  envoy.request('VirtualHost', { resource_names_subscribe: ['a', 'bad'] });
  envoy.nack(only(envoy.drain()), 'wrong');
  assert.ok(lines(envoy.drain()).includes('VirtualHost +a'));
});

test('delta: a refused change leaves the last good version, and going back to it sends nothing and clears the refusal', () => {
  const world = createWorld();
  world.set('Cluster', 'c', '1');
  const envoy = envoyOf(world);
  envoy.request('Cluster', { resource_names_subscribe: ['c'] });
  const good = only(envoy.settle()).versions.get('c');
  world.set('Cluster', 'c', '2');
  envoy.nack(only(envoy.drain()), 'no');
  assert.deepEqual(lines(envoy.drain()), []);
  assert.deepEqual(
    heldResources(envoy.client).map(({ version, state }) => [version, state]),
    [[good, 'Rejected']],
  );
  world.set('Cluster', 'c', '1');
  assert.deepEqual(lines(envoy.drain()), []);
  assert.deepEqual(
    heldResources(envoy.client).map(({ version, state }) => [version, state]),
    [[good, 'Synced']],
  );
});

test('delta: when two versions under way are both refused, the client holds the one before them', () => {
  const world = createWorld();
  world.set('Cluster', 'c', '1');
  const envoy = envoyOf(world);
  envoy.request('Cluster', { resource_names_subscribe: ['c'] });
  const good = only(envoy.settle()).versions.get('c');
  world.set('Cluster', 'c', '2');
  const second = only(envoy.drain());
  world.set('Cluster', 'c', '3');
  const third = only(envoy.drain());
  envoy.nack(second, 'no');
  envoy.nack(third, 'no');
  assert.equal(envoy.client.types.get('Cluster')?.held.get('c')?.version, good);
  world.set('Cluster', 'c', '1');
  assert.deepEqual(lines(envoy.drain()), []);
});

test('delta: a newcomer that refuses is given the version that others have accepted', () => {
  const world = createWorld();
  world.set('Cluster', 'c', '1');
  const old = envoyOf(world);
  old.request('Cluster', { resource_names_subscribe: ['c'] });
  const good = only(old.settle()).versions.get('c');
  world.set('Cluster', 'c', '2');
  const newcomer = deltaPeer(world);
  newcomer.request('Cluster', {});
  newcomer.nack(only(newcomer.drain()), 'no');
  assert.equal(only(newcomer.settle()).versions.get('c'), good);
});

test('delta: a newcomer that refuses what nobody has accepted is given what it would be without policies, with what that needs', () => {
  const world = createWorld();
  world.set('Cluster', 'plain', '1');
  world.set('VirtualHost', 'r', '1', [], { value: 'plain', references: [{ type: 'Cluster', name: 'plain' }] });
  const envoy = envoyOf(world);
  envoy.request('VirtualHost', { resource_names_subscribe: ['r'] });
  envoy.nack(only(envoy.drain()), 'no');
  assert.deepEqual(lines(envoy.drain()), ['Cluster +plain', 'VirtualHost +r']);
});

test('delta: a client that refuses whatever it is offered is not asked for ever', () => {
  const world = createWorld();
  world.set('VirtualHost', 'r', '1', [], { value: 'plain', references: [] });
  const envoy = envoyOf(world);
  envoy.request('VirtualHost', { resource_names_subscribe: ['r'] });
  envoy.nack(only(envoy.drain()), 'no');
  envoy.nack(only(envoy.drain()), 'neither');
  assert.deepEqual(lines(envoy.settle()), ['VirtualHost ?r']);
  const [state] = heldResources(envoy.client);
  assert.deepEqual([state?.state, state?.refused?.message], ['Rejected', 'no']);
});

test('delta: a fallback that is no valid message is a defect that is reported, and costs nothing else', () => {
  const world = createWorld();
  world.set('VirtualHost', 'r', '1', [], { value: '2', references: [], invalid: true });
  const envoy = envoyOf(world);
  envoy.request('VirtualHost', { resource_names_subscribe: ['r'] });
  envoy.nack(only(envoy.drain()), 'no');
  assert.deepEqual(lines(envoy.settle()), ['VirtualHost ?r']);
  assert.ok(world.defects.length > 0);
});

test('delta: an answer to a response that nobody has sent changes nothing', () => {
  const world = routed();
  const envoy = envoyOf(world);
  envoy.request('VirtualHost', { resource_names_subscribe: ['r'] });
  const replies = envoy.drain();
  for (const reply of replies) {
    envoy.ack({ ...reply, nonce: '999' });
    envoy.nack({ ...reply, nonce: '' }, 'no');
    envoy.nack({ ...reply, type: 'Secret' }, 'no');
  }
  assert.deepEqual(lines(envoy.drain()), []);
  assert.equal(heldResources(envoy.client).filter(({ state }) => state === 'Pending').length, 3);
  replies.forEach(envoy.ack);
  assert.equal(heldResources(envoy.client).filter(({ state }) => state === 'Synced').length, 3);
});
