/**
 * The protocol of one client as a state machine without I/O: requests and changes of the world go in, and whenever the
 * transport can take one more message, `next` says which. SotW and delta share it; they differ in how a request is read
 * and how a batch is written. Nothing is queued: what a slow client gets is the state at the moment it reads.
 * https://www.envoyproxy.io/docs/envoy/v1.40.0/api-docs/xds_protocol
 */
import type { ResourceType } from '../envoy/resource.js';
import type { Resource } from '../snapshot/resource.js';
import type { Member, Scope } from '../snapshot/scope.js';
import type { Batch, ClientTraits } from './batch.js';
import { createComposer } from './composer.js';
import { confirm, createSubscription, forget, isInFlight, restore, type Sent, type Subscription, take } from './subscription.js';

/** The state machine of one stream. */
export interface Client extends Member {
  /** The client wants these names; `wildcard` wants all of its scope. Versions that it has already are in `initial`. */
  readonly subscribe: (type: ResourceType, names: readonly string[], options: SubscribeOptions) => void;
  readonly unsubscribe: (type: ResourceType, names: readonly string[], wildcard: boolean) => void;
  readonly acknowledge: (type: ResourceType, nonce: string) => void;
  readonly refuse: (type: ResourceType, nonce: string, message: string) => void;
  /** The next response, or undefined when the client has all that it wants (or, one at a time, has to acknowledge first). */
  readonly next: () => Batch | undefined;
  readonly types: ReadonlyMap<ResourceType, Subscription>;
  /** The entry behind a name that this client wants or holds. */
  readonly entry: Scope['entry'];
  /** The resources that the client holds once it has read all that was sent, sorted by name. */
  readonly holding: (type: ResourceType) => readonly Resource[];
  /** Lets go of what this client alone wants. */
  readonly close: () => void;
}

/** What came with a subscription. */
export interface SubscribeOptions {
  readonly wildcard: boolean;
  /** Held from an earlier stream; undefined except on the first request of a type. */
  readonly initial?: ReadonlyMap<string, string> | undefined;
}

/** Kept in the scope for all replicas once one has asked; other types are kept while somebody asks. */
const learnedTypes: ReadonlySet<ResourceType> = new Set(['VirtualHost', 'Cluster']);

/** How many names of a type that is not learned one client may want, and how many of them without there being such a resource. */
const maxExplicit = 20_000;
const maxVain = 2_048;

/** A client of a scope that has asked for nothing yet. `wake` is called when the world has changed for it. */
export function createClient(traits: ClientTraits, joinScope: (member: Member) => Scope, wake: () => void): Client {
  const types = new Map<ResourceType, Subscription>();

  function of(type: ResourceType): Subscription {
    const existing = types.get(type) ?? createSubscription();
    types.set(type, existing);
    return existing;
  }

  function wants(type: ResourceType, subscription: Subscription, name: string): boolean {
    if (subscription.explicit.has(name) || subscription.ahead.has(name)) return true;
    return subscription.wildcard && scope.wanted(type).has(name);
  }

  const member: Member = {
    changed: (type, name) => {
      const subscription = types.get(type);
      if (!subscription || !(subscription.held.has(name) || wants(type, subscription, name))) return;
      subscription.dirty.add(name);
      wake();
    },
    forgotten: (type, name) => {
      const subscription = types.get(type);
      if (subscription) dropVain(subscription, name);
    },
  };
  const scope = joinScope(member);
  const composer = createComposer({ traits, types, scope, wants, of });

  function subscribe(type: ResourceType, names: readonly string[], { wildcard, initial = new Map() }: SubscribeOptions): void {
    const subscription = of(type);
    if (learnedTypes.has(type)) scope.learn(type, [...names, ...initial.keys()]);
    for (const [name, version] of initial) resume(type, subscription, name, version);
    for (const name of names) {
      if (!subscription.explicit.has(name)) takeIn(type, subscription, name);
      if (!initial.has(name) && !isCrossing(type, subscription, name)) subscription.forced.add(name);
      subscription.dirty.add(name);
    }
    if (wildcard && !subscription.wildcard) startWildcard(type, subscription);
  }

  function resume(type: ResourceType, subscription: Subscription, name: string, version: string): void {
    const current = scope.entry(type, name)?.current();
    const resource = current?.version === version ? current : undefined;
    const sent: Sent = { name, version, resource, nonce: '', since: '' };
    subscription.held.set(name, sent);
    subscription.confirmed.set(name, sent);
    subscription.dirty.add(name);
  }

  /** Remembers that the client wants a name, unless there are too many or the scope does not take it: then it is only answered. */
  function takeIn(type: ResourceType, subscription: Subscription, name: string): void {
    const { explicit, vain } = subscription;
    if (learnedTypes.has(type)) {
      if (scope.entry(type, name)) explicit.add(name);
      return;
    }
    if (explicit.size >= maxExplicit || !scope.retain(type, name)) return;
    explicit.add(name);
    if (exists(type, name)) return;
    vain.add(name);
    if (vain.size > maxVain) forgetOldest(type, subscription);
  }

  function exists(type: ResourceType, name: string): boolean {
    return scope.entry(type, name)?.current() !== undefined;
  }

  function forgetOldest(type: ResourceType, subscription: Subscription): void {
    for (const name of subscription.vain) {
      subscription.vain.delete(name);
      if (exists(type, name)) return;
      dropVain(subscription, name);
      scope.release(type, name);
      return;
    }
  }

  /** The client had something on an earlier stream: it needs no answer if that is still so. */
  function startWildcard(type: ResourceType, subscription: Subscription): void {
    subscription.wildcard = true;
    subscription.owed = subscription.held.size === 0;
    for (const name of scope.wanted(type)) subscription.dirty.add(name);
  }

  /** What was asked for is already on its way: the request has crossed the response, which answers it. */
  function isCrossing(type: ResourceType, subscription: Subscription, name: string): boolean {
    const held = subscription.held.get(name);
    return held?.version !== undefined && held.version === scope.entry(type, name)?.current()?.version && isInFlight(subscription, name);
  }

  function unsubscribe(type: ResourceType, names: readonly string[], wildcard: boolean): void {
    const subscription = of(type);
    if (wildcard) subscription.wildcard = false;
    for (const name of names) {
      subscription.vain.delete(name);
      subscription.ahead.delete(name);
      if (subscription.explicit.delete(name) && !learnedTypes.has(type)) scope.release(type, name);
      if (!wants(type, subscription, name)) letGo(subscription, name);
    }
    if (wildcard) for (const name of [...subscription.held.keys()]) if (!wants(type, subscription, name)) forget(subscription, name);
    composer.settle();
  }

  /** A client that wants all of its scope cannot know whether a name is part of that: it is told. Others let go by themselves. */
  function letGo(subscription: Subscription, name: string): void {
    if (subscription.wildcard && subscription.held.get(name)?.version) subscription.dirty.add(name);
    else forget(subscription, name);
  }

  function acknowledge(type: ResourceType, nonce: string): void {
    const subscription = types.get(type);
    if (!subscription) return;
    for (const sent of take(subscription, nonce)) {
      confirm(subscription, sent);
      subscription.alone.delete(sent.name);
      const entry = scope.entry(type, sent.name);
      if (entry && sent.version) scope.accept(entry, sent.version);
    }
    composer.settle();
  }

  function refuse(type: ResourceType, nonce: string, message: string): void {
    const subscription = types.get(type);
    if (!subscription) return;
    const batch = take(subscription, nonce);
    const suspects = batch.filter(({ version }) => version);
    const guilty = traits.isolate && suspects.length > 1 ? [] : named(suspects, message);
    for (const sent of batch) {
      if (!sent.version) confirm(subscription, sent);
      else restore(subscription, sent);
      if (guilty.includes(sent)) convict(type, subscription, sent, message);
      else if (suspects.length > 0) sendAgain(subscription, sent);
    }
    composer.settle();
  }

  /** A response was refused for something else in it, and nothing of it may have been taken over; a removal is not repeated. */
  function sendAgain(subscription: Subscription, { name, version }: Sent): void {
    if (traits.isolate && version) subscription.alone.add(name);
    subscription.forced.add(name);
    subscription.dirty.add(name);
  }

  /** This version is at fault. A client that has no other is offered one, and first what that one refers to. */
  function convict(type: ResourceType, subscription: Subscription, { name, version }: Sent, message: string): void {
    const entry = scope.entry(type, name);
    const earlier = subscription.refused.get(name);
    const first = earlier && earlier.version === entry?.current()?.version ? earlier : { version, message };
    subscription.refused.set(name, { version: first.version, message: first.message, versions: new Set([...(earlier?.versions ?? []), version]) });
    subscription.dirty.add(name);
    if (subscription.held.get(name)?.version || entry?.accepted()) return;
    for (const reference of entry?.fallback()?.references ?? []) if (learnedTypes.has(reference.type)) scope.learn(reference.type, [reference.name]);
  }

  function holding(type: ResourceType): readonly Resource[] {
    const held = [...(types.get(type)?.held.values() ?? [])];
    return held.flatMap(({ resource }) => resource ?? []).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  return {
    ...member,
    types,
    entry: scope.entry,
    holding,
    subscribe,
    unsubscribe,
    acknowledge,
    refuse,
    next: composer.next,
    close: () => {
      for (const [type, { explicit }] of types) if (!learnedTypes.has(type)) for (const name of explicit) scope.release(type, name);
      types.clear();
    },
  };
}

/** No longer remembers a name that does not exist. Whoever waits for an answer still gets it. */
function dropVain(subscription: Subscription, name: string): void {
  subscription.explicit.delete(name);
  if (subscription.held.get(name)?.version === '') subscription.held.delete(name);
}

/** Those of a refused response whose names are in the client's words; all of them when none is. */
function named(suspects: readonly Sent[], message: string): readonly Sent[] {
  const blamed = suspects.filter(({ name }) => mentions(message, name));
  return blamed.length > 0 ? blamed : suspects;
}

/** Whether a text holds a name as a whole word: `a` is not in `ab`. */
function mentions(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    if (!isWordPart(text[at - 1]) && !isWordPart(text[at + name.length])) return true;
  }
  return false;
}

function isWordPart(character: string | undefined): boolean {
  return character !== undefined && /[\w-]/.test(character);
}
