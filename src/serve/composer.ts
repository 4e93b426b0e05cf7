/**
 * What a client is sent next. Make before break: what is referred to goes before what refers to it, endpoints right behind
 * their Cluster, and nothing is taken away while something that the client may still be using refers to it.
 */
import type { ResourceType } from '../envoy/resource.js';
import type { Resource } from '../snapshot/resource.js';
import type { Scope } from '../snapshot/scope.js';
import type { Batch, ClientTraits } from './batch.js';
import { subscriptionOf, wants } from './core.js';
import { identify, isInFlight, type Sent, type Subscription, take } from './subscription.js';

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
}

const additionOrder: readonly ResourceType[] = ['Secret', 'Cluster', 'ClusterLoadAssignment', 'Listener', 'RouteConfiguration', 'VirtualHost'];
/** What may go while Clusters wait for an acknowledgement, which Envoy may give only after their endpoints: not what refers to them. */
const belowClusters: readonly ResourceType[] = ['Secret', 'ClusterLoadAssignment'];
/** Every type may refer to those behind it. */
const removalOrder: readonly ResourceType[] = ['VirtualHost', 'RouteConfiguration', 'Listener', 'Cluster', 'ClusterLoadAssignment', 'Secret'];

/** Nothing is said of what is not there (yet): Envoy would take such an answer for the last word, and begin without. Nor is anything of them taken away. */
const silentTypes: ReadonlySet<ResourceType> = new Set(['Secret']);

/** Bounds of one response: bytes of resources and names, and names. */
const maxBatchBytes = 1_000_000;
const maxBatchNames = 500;

/** How many unacknowledged responses of a type are remembered. */
const maxInflight = 256;

/** While so many responses of a type are unacknowledged, names that go alone wait. */
const maxAlone = 32;

/** A composer that has sent nothing yet. */
export function createComposer(parts: ComposerParts): Composer {
  const state: State = { ...parts, nonces: 0, endpointsDue: false, mayRemove: true };
  return {
    next: () => addition(state) ?? removal(state),
    settle: () => {
      state.mayRemove = true;
    },
  };
}

interface State extends ComposerParts {
  nonces: number;
  /** Endpoints have to follow the Clusters that were just sent. */
  endpointsDue: boolean;
  /** Something may have become free to be taken away. */
  mayRemove: boolean;
}

/** What the client should hold: a resource, 'keep' what it has (it refused what is there), or nothing. */
function target(state: State, type: ResourceType, subscription: Subscription, name: string): Resource | 'keep' | undefined {
  const entry = wants(state, type, subscription, name) ? state.scope.entry(type, name) : undefined;
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

function waits(state: State, { inflight }: Subscription): boolean {
  return state.traits.oneAtATime && inflight.size > 0;
}

function nextAddition(state: State, type: ResourceType): Batch | undefined {
  const subscription = state.types.get(type);
  if (!subscription || waits(state, subscription)) return undefined;
  const draft: Draft = { send: [], absent: [], bytes: 0 };
  fill(state, type, subscription, draft);
  if (draft.send.length + draft.absent.length === 0 && !subscription.owed) return undefined;
  return dispatch(state, type, subscription, { send: draft.send, absent: draft.absent, remove: [] });
}

/** Takes what is due from the names to look at, until the response is large enough. */
function fill(state: State, type: ResourceType, subscription: Subscription, draft: Draft): void {
  const { dirty, alone, forced, leaving, inflight } = subscription;
  const isWhole = state.traits.wholeTypes.has(type);
  for (const name of dirty) {
    const isSingle = alone.has(name);
    if (isSingle && (draft.send.length > 0 || inflight.size >= maxAlone)) continue;
    dirty.delete(name);
    consider(state, type, subscription, name, draft);
    if (!leaving.has(name)) forced.delete(name);
    if (!isWhole && (isFull(draft) || (isSingle && draft.send.length > 0))) return;
  }
}

function consider(state: State, type: ResourceType, subscription: Subscription, name: string, draft: Draft): void {
  const due = target(state, type, subscription, name);
  if (!due) return silentTypes.has(type) ? undefined : sortOut(state, subscription, name, draft);
  subscription.leaving.delete(name);
  if (due === 'keep') return;
  if (!subscription.forced.has(name) && subscription.held.get(name)?.version === due.version) {
    if (!isInFlight(subscription, name)) acceptAgain(state, type, subscription, due);
    return;
  }
  draft.bytes += due.delta.length;
  draft.send.push(due);
}

/** What the client has acknowledged, perhaps on an earlier stream, has become the current version (again). */
function acceptAgain(state: State, type: ResourceType, subscription: Subscription, resource: Resource): void {
  identify(subscription, resource);
  state.mayRemove = true;
  const entry = state.scope.entry(type, resource.name);
  if (entry) state.scope.accept(entry, resource.version);
}

/** A name without a resource: an answer to one who asked, a removal from one who has it, nothing for others. */
function sortOut(state: State, subscription: Subscription, name: string, draft: Draft): void {
  const held = subscription.held.get(name);
  const asked = subscription.explicit.has(name);
  if (held?.version) {
    subscription.leaving.add(name);
    state.mayRemove = true;
  } else if ((asked && !held) || (subscription.forced.has(name) && !subscription.ahead.has(name))) {
    draft.bytes += 2 * name.length;
    draft.absent.push(name);
  } else if (!asked) subscription.held.delete(name);
}

function nextRemoval(state: State, type: ResourceType): Batch | undefined {
  const subscription = state.types.get(type);
  if (!subscription || subscription.leaving.size === 0 || waits(state, subscription)) return undefined;
  const used = usedOf(state, type);
  const remove: string[] = [];
  for (const name of subscription.leaving) {
    const isStale = target(state, type, subscription, name) !== undefined || !subscription.held.get(name)?.version;
    if (!isStale && (used === undefined || used.has(name))) continue;
    subscription.leaving.delete(name);
    if (!isStale) remove.push(name);
    if (remove.length >= maxBatchNames && !state.traits.wholeTypes.has(type)) break;
  }
  return remove.length > 0 ? dispatch(state, type, subscription, { send: [], absent: [], remove }) : undefined;
}

/** The names of a type to which something refers that the client has or may have; undefined when it has something of unknown content. */
function usedOf({ types }: State, type: ResourceType): ReadonlySet<string> | undefined {
  const referrers = removalOrder.slice(0, removalOrder.indexOf(type)).flatMap((referrer) => types.get(referrer) ?? []);
  const had = referrers.flatMap((subscription) => [...mayHave(subscription)]).filter(({ version }) => version);
  if (had.some(({ resource }) => !resource)) return undefined;
  const references = had.flatMap(({ resource }) => resource?.references ?? []);
  return new Set(references.flatMap((reference) => (reference.type === type ? [reference.name] : [])));
}

function dispatch(state: State, type: ResourceType, subscription: Subscription, { send, absent, remove }: Pick<Batch, 'send' | 'absent' | 'remove'>): Batch {
  const nonce = String(++state.nonces);
  const { held, inflight } = subscription;
  const since = (name: string) => held.get(name)?.since ?? nonce;
  const sent: Sent[] = send.map((resource) => ({ name: resource.name, version: resource.version, resource, nonce, since: since(resource.name) }));
  for (const name of [...absent, ...remove]) sent.push({ name, version: '', resource: undefined, nonce, since: since(name) });
  for (const one of sent) hold(subscription, one);
  subscription.owed = false;
  inflight.set(nonce, sent);
  if (inflight.size > maxInflight) take(subscription, inflight.keys().next().value ?? '');
  if (type === 'Cluster' && state.traits.pushEndpoints) pushEndpoints(state, send);
  return { type, nonce, send, absent, remove };
}

/** From now on the client is taken to have this. */
function hold({ held, explicit, ahead }: Subscription, sent: Sent): void {
  if (!sent.version) ahead.delete(sent.name);
  if (sent.version || explicit.has(sent.name)) held.set(sent.name, sent);
  else held.delete(sent.name);
}

function pushEndpoints(state: State, clusters: readonly Resource[]): void {
  const names = clusters.flatMap(({ references }) => references.flatMap(({ type, name }) => (type === 'ClusterLoadAssignment' ? [name] : [])));
  if (names.length === 0) return;
  const endpoints = subscriptionOf(state, 'ClusterLoadAssignment');
  for (const name of names) {
    if (!endpoints.explicit.has(name)) endpoints.ahead.add(name);
    endpoints.forced.add(name);
    endpoints.dirty.add(name);
  }
  state.endpointsDue = true;
}

function addition(state: State): Batch | undefined {
  const behind = state.endpointsDue ? nextAddition(state, 'ClusterLoadAssignment') : undefined;
  if (behind) return behind;
  state.endpointsDue = false;
  const clusters = state.types.get('Cluster');
  return firstOf(clusters && clusters.dirty.size > 0 && waits(state, clusters) ? belowClusters : additionOrder, (type) => nextAddition(state, type));
}

function removal(state: State): Batch | undefined {
  const batch = state.mayRemove ? firstOf(removalOrder, (type) => nextRemoval(state, type)) : undefined;
  state.mayRemove = batch !== undefined;
  return batch;
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
