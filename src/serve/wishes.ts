/** What a client wants: subscriptions, what it brings from an earlier stream, and how much of it is remembered. */
import type { ResourceType } from '../envoy/resource.js';
import { type Core, learnedTypes, subscriptionOf, wants } from './core.js';
import { forget, isInFlight, type Sent, type Subscription } from './subscription.js';

/** What came with a subscription. */
export interface SubscribeOptions {
  readonly wildcard: boolean;
  /** Held from an earlier stream; undefined except on the first request of a type. */
  readonly initial?: ReadonlyMap<string, string> | undefined;
}

/** How many names of a type that is not learned one client may want, and how many of them without there being such a resource. */
const maxExplicit = 20_000;
const maxVain = 2_048;

/** How many resources of a type one client may claim to have from an earlier stream; Weft has never sent a longer name or version. */
const maxClaims = 20_000;
const maxNameLength = 512;
const maxVersionLength = 64;

/** The client wants these names; with `wildcard`, all of its scope. */
export function subscribe(core: Core, type: ResourceType, names: readonly string[], { wildcard, initial = new Map() }: SubscribeOptions): void {
  const subscription = subscriptionOf(core, type);
  if (learnedTypes.has(type)) core.scope.learn(type, [...names, ...initial.keys()]);
  for (const [name, version] of initial) resume(core, type, subscription, name, version);
  for (const name of names) {
    takeIn(core, type, subscription, name);
    if (!initial.has(name) && !isCrossing(core, type, subscription, name)) subscription.forced.add(name);
    subscription.dirty.add(name);
  }
  if (wildcard && !subscription.wildcard) startWildcard(core, type, subscription);
}

function resume(core: Core, type: ResourceType, subscription: Subscription, name: string, version: string): void {
  if (!isPlausible(subscription, name, version)) return;
  const current = core.scope.entry(type, name)?.current();
  const resource = current?.version === version ? current : undefined;
  const sent: Sent = { name, version, resource, nonce: '', since: '' };
  subscription.held.set(name, sent);
  subscription.confirmed.set(name, sent);
  subscription.dirty.add(name);
}

/** Other claims are passed over: they would be kept until the client says that it has let go of the resource, so perhaps for ever. */
function isPlausible({ confirmed }: Subscription, name: string, version: string): boolean {
  const isShort = name.length <= maxNameLength && version.length <= maxVersionLength;
  return isShort && (confirmed.size < maxClaims || confirmed.has(name));
}

/** Remembers that the client wants a name, unless there are too many or the scope does not take it: then it is only answered. */
function takeIn(core: Core, type: ResourceType, subscription: Subscription, name: string): void {
  const { explicit, vain } = subscription;
  if (explicit.has(name)) return;
  if (learnedTypes.has(type)) {
    if (core.scope.entry(type, name)) explicit.add(name);
    return;
  }
  if (explicit.size >= maxExplicit || !core.scope.retain(type, name)) return;
  explicit.add(name);
  if (exists(core, type, name)) return;
  vain.add(name);
  if (vain.size > maxVain) forgetOldest(core, type, subscription);
}

function exists(core: Core, type: ResourceType, name: string): boolean {
  return core.scope.entry(type, name)?.current() !== undefined;
}

/** Many at once: to find the first entry of a Set takes as long as there are holes before it. */
function forgetOldest(core: Core, type: ResourceType, subscription: Subscription): void {
  let left = maxVain / 8;
  for (const name of subscription.vain) {
    if (left-- === 0) return;
    subscription.vain.delete(name);
    if (exists(core, type, name)) continue;
    dropVain(subscription, name);
    core.scope.release(type, name);
  }
}

/** The client had something on an earlier stream: it needs no answer if that is still so. */
function startWildcard(core: Core, type: ResourceType, subscription: Subscription): void {
  subscription.wildcard = true;
  subscription.owed = subscription.held.size === 0;
  for (const name of core.scope.wanted(type)) subscription.dirty.add(name);
}

/** What was asked for is already on its way: the request has crossed the response, which answers it. */
function isCrossing(core: Core, type: ResourceType, subscription: Subscription, name: string): boolean {
  const held = subscription.held.get(name);
  return held?.version !== undefined && held.version === core.scope.entry(type, name)?.current()?.version && isInFlight(subscription, name);
}

/** The client wants these names no more; with `wildcard`, only what it has asked for by name. */
export function unsubscribe(core: Core, type: ResourceType, names: readonly string[], wildcard: boolean): void {
  const subscription = subscriptionOf(core, type);
  if (wildcard) subscription.wildcard = false;
  for (const name of names) {
    subscription.vain.delete(name);
    subscription.ahead.delete(name);
    if (subscription.explicit.delete(name) && !learnedTypes.has(type)) core.scope.release(type, name);
    if (!wants(core, type, subscription, name)) letGo(subscription, name);
  }
  if (wildcard) forgetUnwanted(core, type, subscription);
  core.settle();
}

function forgetUnwanted(core: Core, type: ResourceType, subscription: Subscription): void {
  for (const name of [...subscription.held.keys()]) if (!wants(core, type, subscription, name)) forget(subscription, name);
}

/** A client that wants all of its scope cannot know whether a name is part of that: it is told. Others let go by themselves. */
function letGo(subscription: Subscription, name: string): void {
  if (subscription.wildcard && subscription.held.get(name)?.version) subscription.dirty.add(name);
  else forget(subscription, name);
}

/** No longer remembers a name that does not exist. Whoever waits for an answer still gets it. */
export function dropVain(subscription: Subscription, name: string): void {
  subscription.explicit.delete(name);
  if (subscription.held.get(name)?.version === '') subscription.held.delete(name);
}
