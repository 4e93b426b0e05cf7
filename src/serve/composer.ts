/**
 * What a client is sent next. Make before break: what is referred to goes before what refers to it, endpoints right behind
 * their Cluster, and nothing is taken away while something that the client may still be using refers to it.
 */
import type { ResourceType } from '../envoy/resource.js';
import type { Resource } from '../snapshot/resource.js';
import type { Scope } from '../snapshot/scope.js';
import type { Batch, ClientTraits } from './batch.js';
import { type Sent, type Subscription, take } from './subscription.js';

/** Composes the responses of one client. */
export interface Composer {
  /** The next response, or undefined when the client has all that it wants (or, one at a time, has to acknowledge first). */
  readonly next: () => Batch | undefined;
  /** The client has answered or let go of something: what could not be taken away may now be free. */
  readonly settle: () => void;
}

/** What a composer works on. */
export interface ComposerParts {
  readonly traits: ClientTraits;
  readonly types: Map<ResourceType, Subscription>;
  readonly scope: Scope;
  readonly wants: (type: ResourceType, subscription: Subscription, name: string) => boolean;
  /** The subscription of a type, made if need be. */
  readonly of: (type: ResourceType) => Subscription;
}

const additionOrder: readonly ResourceType[] = ['Secret', 'Cluster', 'ClusterLoadAssignment', 'Listener', 'RouteConfiguration', 'VirtualHost'];
/** What may go while Clusters wait for an acknowledgement, which Envoy may give only after their endpoints: not what refers to them. */
const belowClusters: readonly ResourceType[] = ['Secret', 'ClusterLoadAssignment'];
/** Every type may refer to those behind it. */
const removalOrder: readonly ResourceType[] = ['VirtualHost', 'RouteConfiguration', 'Listener', 'Cluster', 'ClusterLoadAssignment', 'Secret'];

/** Bounds of one response: bytes of resources and names, and names. */
const maxBatchBytes = 1_000_000;
const maxBatchNames = 500;

/** How many unacknowledged responses of a type are remembered. */
const maxInflight = 256;

/** While so many responses of a type are unacknowledged, names that go alone wait. */
const maxAlone = 32;

/** A composer that has sent nothing yet. */
export function createComposer({ traits, types, scope, wants, of }: ComposerParts): Composer {
  let nonces = 0;
  let endpointsDue = false;
  let mayRemove = true;

  /** What the client should hold: a resource, 'keep' what it has (it refused what is there), or nothing. */
  function target(type: ResourceType, subscription: Subscription, name: string): Resource | 'keep' | undefined {
    const entry = wants(type, subscription, name) ? scope.entry(type, name) : undefined;
    const current = entry?.current();
    const versions = subscription.refused.get(name)?.versions;
    if (!current || !versions?.has(current.version)) {
      subscription.refused.delete(name);
      return current;
    }
    const held = subscription.held.get(name);
    if (held?.version) return (subscription.forced.has(name) && held.resource) || 'keep';
    return [entry?.accepted(), entry?.fallback()].find((other) => other && !versions.has(other.version));
  }

  function waits({ inflight }: Subscription): boolean {
    return traits.oneAtATime && inflight.size > 0;
  }

  function nextAddition(type: ResourceType): Batch | undefined {
    const subscription = types.get(type);
    if (!subscription || waits(subscription)) return undefined;
    const { dirty, alone, forced } = subscription;
    const draft: Draft = { send: [], absent: [], bytes: 0 };
    for (const name of dirty) {
      const single = alone.has(name);
      if (single && (draft.send.length > 0 || subscription.inflight.size >= maxAlone)) continue;
      dirty.delete(name);
      consider(type, subscription, name, draft);
      forced.delete(name);
      if (!traits.wholeTypes.has(type) && (isFull(draft) || (single && draft.send.length > 0))) break;
    }
    if (draft.send.length + draft.absent.length === 0 && !subscription.owed) return undefined;
    return dispatch(type, subscription, { send: draft.send, absent: draft.absent, remove: [] });
  }

  function consider(type: ResourceType, subscription: Subscription, name: string, draft: Draft): void {
    const due = target(type, subscription, name);
    if (due === 'keep') return;
    if (!due) return sortOut(subscription, name, draft);
    if (!subscription.forced.has(name) && subscription.held.get(name)?.version === due.version) return;
    draft.bytes += due.delta.length;
    draft.send.push(due);
  }

  /** A name without a resource: an answer to one who asked, a removal from one who has it, nothing for others. */
  function sortOut(subscription: Subscription, name: string, draft: Draft): void {
    const held = subscription.held.get(name);
    const asked = subscription.explicit.has(name);
    if (held?.version) {
      subscription.leaving.add(name);
      mayRemove = true;
    } else if ((asked && !held) || (subscription.forced.has(name) && !subscription.ahead.has(name))) {
      draft.bytes += 2 * name.length;
      draft.absent.push(name);
    } else if (!asked) subscription.held.delete(name);
  }

  function nextRemoval(type: ResourceType): Batch | undefined {
    const subscription = types.get(type);
    if (!subscription || subscription.leaving.size === 0 || waits(subscription)) return undefined;
    const used = usedOf(type);
    const remove: string[] = [];
    for (const name of subscription.leaving) {
      const isStale = target(type, subscription, name) !== undefined || !subscription.held.get(name)?.version;
      if (!isStale && (used === undefined || used.has(name))) continue;
      subscription.leaving.delete(name);
      if (!isStale) remove.push(name);
      if (remove.length >= maxBatchNames && !traits.wholeTypes.has(type)) break;
    }
    return remove.length > 0 ? dispatch(type, subscription, { send: [], absent: [], remove }) : undefined;
  }

  /** The names of a type to which something refers that the client has or may have; undefined when it has something of unknown content. */
  function usedOf(type: ResourceType): ReadonlySet<string> | undefined {
    const used = new Set<string>();
    for (const referrer of removalOrder.slice(0, removalOrder.indexOf(type))) {
      const subscription = types.get(referrer);
      for (const { version, resource } of subscription ? mayHave(subscription) : []) {
        if (version && !resource) return undefined;
        for (const reference of resource?.references ?? []) if (reference.type === type) used.add(reference.name);
      }
    }
    return used;
  }

  function dispatch(type: ResourceType, subscription: Subscription, { send, absent, remove }: Pick<Batch, 'send' | 'absent' | 'remove'>): Batch {
    const nonce = String(++nonces);
    const { held, explicit, ahead, inflight } = subscription;
    const since = (name: string) => held.get(name)?.since ?? nonce;
    const sent: Sent[] = send.map((resource) => ({ name: resource.name, version: resource.version, resource, nonce, since: since(resource.name) }));
    for (const name of [...absent, ...remove]) sent.push({ name, version: '', resource: undefined, nonce, since: since(name) });
    for (const one of sent) {
      if (!one.version) ahead.delete(one.name);
      if (one.version || explicit.has(one.name)) held.set(one.name, one);
      else held.delete(one.name);
    }
    subscription.owed = false;
    inflight.set(nonce, sent);
    if (inflight.size > maxInflight) take(subscription, inflight.keys().next().value ?? '');
    if (type === 'Cluster' && traits.pushEndpoints) pushEndpoints(send);
    return { type, nonce, send, absent, remove };
  }

  function pushEndpoints(clusters: readonly Resource[]): void {
    for (const { references } of clusters) {
      for (const { type, name } of references) {
        if (type !== 'ClusterLoadAssignment') continue;
        const endpoints = of(type);
        if (!endpoints.explicit.has(name)) endpoints.ahead.add(name);
        endpoints.forced.add(name);
        endpoints.dirty.add(name);
        endpointsDue = true;
      }
    }
  }

  function addition(): Batch | undefined {
    const behind = endpointsDue ? nextAddition('ClusterLoadAssignment') : undefined;
    if (behind) return behind;
    endpointsDue = false;
    const clusters = types.get('Cluster');
    return firstOf(clusters && clusters.dirty.size > 0 && waits(clusters) ? belowClusters : additionOrder, nextAddition);
  }

  function removal(): Batch | undefined {
    const batch = mayRemove ? firstOf(removalOrder, nextRemoval) : undefined;
    mayRemove = batch !== undefined;
    return batch;
  }

  return {
    next: () => addition() ?? removal(),
    settle: () => {
      mayRemove = true;
    },
  };
}

interface Draft {
  readonly send: Resource[];
  readonly absent: string[];
  bytes: number;
}

function isFull({ send, absent, bytes }: Draft): boolean {
  return bytes > maxBatchBytes || send.length + absent.length >= maxBatchNames;
}

/** Everything that the client has, may have by now, or will have. */
function* mayHave({ held, confirmed, inflight }: Subscription): Generator<Sent> {
  yield* held.values();
  yield* confirmed.values();
  for (const batch of inflight.values()) yield* batch;
}

function firstOf<T>(order: readonly ResourceType[], next: (type: ResourceType) => T | undefined): T | undefined {
  for (const type of order) {
    const found = next(type);
    if (found) return found;
  }
  return undefined;
}
