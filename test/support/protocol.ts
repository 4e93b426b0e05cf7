/** What the tests of the protocol's state machine share. */
import assert from 'node:assert/strict';
import type { ResourceType } from '../../src/envoy/resource.js';
import { deltaPeer, line, type Reply } from './peer.js';
import { classOf, createWorld, type World, type WorldOptions } from './world.js';

/** Replies in one line each. */
export const lines = (replies: readonly Reply[]): readonly string[] => replies.map(line);

/** The one reply that is expected. */
export const only = (replies: readonly Reply[]): Reply => {
  const [reply] = replies;
  assert.ok(reply && replies.length === 1, `expected one response, got ${lines(replies).join(' | ')}`);
  return reply;
};

/** A world with the route `r` to the cluster `c`. */
export function routed(options?: WorldOptions): World {
  const world = createWorld(options);
  world.setRoute('r', ['c'], '1');
  return world;
}

/** A delta client that has asked as Envoy does at start: everything of its scope. */
export function envoyOf(world: World, zone?: string): ReturnType<typeof deltaPeer> {
  const envoy = deltaPeer(world, classOf(zone));
  envoy.request('Cluster', {});
  envoy.request('VirtualHost', {});
  envoy.settle();
  return envoy;
}

/** The current version of a resource, as a stranger is told it. */
export const version = (world: World, type: ResourceType, name: string): string => {
  const probe = deltaPeer(world, classOf('probe', 'probe'));
  probe.request(type, { resource_names_subscribe: [name] });
  const found = probe
    .settle()
    .find((reply) => reply.type === type)
    ?.versions.get(name);
  probe.close();
  return found ?? assert.fail(`no ${type} ${name}`);
};
