/**
 * The protocol of one client as a state machine without I/O: requests and changes of the world go in, and whenever the
 * transport can take one more message, `next` says which. SotW and delta share it; they differ in how a request is read
 * and how a batch is written. Nothing is queued: what a slow client gets is the state at the moment it reads.
 * https://www.envoyproxy.io/docs/envoy/v1.40.0/api-docs/xds_protocol
 */
import type { ResourceType } from '../envoy/resource.js';
import type { Resource } from '../snapshot/resource.js';
import type { Member, Scope } from '../snapshot/scope.js';
import { acknowledge, refuse } from './answers.js';
import type { Batch, ClientTraits } from './batch.js';
import { createComposer } from './composer.js';
import { type Core, learnedTypes, wants } from './core.js';
import type { Subscription } from './subscription.js';
import { dropVain, type SubscribeOptions, subscribe, unsubscribe } from './wishes.js';

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

/** A client of a scope that has asked for nothing yet. `wake` is called when the world has changed for it. */
export function createClient(traits: ClientTraits, joinScope: (member: Member) => Scope, wake: () => void): Client {
  const types = new Map<ResourceType, Subscription>();
  const member: Member = {
    changed: (type, name) => {
      const subscription = types.get(type);
      if (!subscription || !(subscription.held.has(name) || wants({ scope }, type, subscription, name))) return;
      subscription.dirty.add(name);
      wake();
    },
    forgotten: (type, name) => {
      const subscription = types.get(type);
      if (subscription) dropVain(subscription, name);
    },
  };
  const scope = joinScope(member);
  const composer = createComposer({ traits, types, scope });
  const core: Core = { traits, types, scope, settle: composer.settle };
  return {
    ...member,
    types,
    entry: scope.entry,
    holding: (type) => holding(types.get(type)),
    subscribe: (type, names, options) => subscribe(core, type, names, options),
    unsubscribe: (type, names, wildcard) => unsubscribe(core, type, names, wildcard),
    acknowledge: (type, nonce) => acknowledge(core, type, nonce),
    refuse: (type, nonce, message) => refuse(core, type, nonce, message),
    next: composer.next,
    close: () => close(core),
  };
}

function holding(subscription: Subscription | undefined): readonly Resource[] {
  const held = [...(subscription?.held.values() ?? [])];
  return held.flatMap(({ resource }) => resource ?? []).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function close({ types, scope }: Core): void {
  for (const [type, { explicit }] of types) if (!learnedTypes.has(type)) for (const name of explicit) scope.release(type, name);
  types.clear();
}
