/** What the parts of one client's state machine share. */
import type { ResourceType } from '../envoy/resource.js';
import type { Scope } from '../snapshot/scope.js';
import type { ClientTraits } from './batch.js';
import { createSubscription, type Subscription } from './subscription.js';

/** The state of one client. */
export interface Core {
  readonly traits: ClientTraits;
  readonly types: Map<ResourceType, Subscription>;
  readonly scope: Scope;
  /** The client has answered or let go of something: what could not be taken away from it may now be free. */
  readonly settle: () => void;
}

/** Kept in the scope for all replicas once one has asked; other types are kept while somebody asks. */
export const learnedTypes: ReadonlySet<ResourceType> = new Set(['VirtualHost', 'Cluster']);

/** The subscription of a type, made if need be. */
export function subscriptionOf({ types }: Pick<Core, 'types'>, type: ResourceType): Subscription {
  const existing = types.get(type) ?? createSubscription();
  types.set(type, existing);
  return existing;
}

/** Whether the client wants a name, by asking for it or for everything. */
export function wants({ scope }: Pick<Core, 'scope'>, type: ResourceType, subscription: Subscription, name: string): boolean {
  if (subscription.explicit.has(name) || subscription.ahead.has(name)) return true;
  return subscription.wildcard && scope.wanted(type).has(name);
}
