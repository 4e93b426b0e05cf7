/** What one client wants, holds and has refused of one resource type. Only `client.ts` and `composer.ts` write it. */
import type { Resource } from '../snapshot/resource.js';

/** A version of a name that was sent to the client. */
export interface Sent {
  readonly name: string;
  /** Empty for "does not exist". */
  readonly version: string;
  /** Undefined for "does not exist", and for what the client has from an earlier stream in a version that is not known here. */
  readonly resource: Resource | undefined;
  /** The response that it was in; empty for what the client has from an earlier stream. */
  readonly nonce: string;
  /** The nonce since which the client has held the name without a break. */
  readonly since: string;
}

/** What this client has refused of a name. */
export interface Refused {
  readonly version: string;
  /** The client's words. */
  readonly message: string;
  /** All versions that it has refused since the resource last changed: the current one, perhaps also what it was offered instead. */
  readonly versions: ReadonlySet<string>;
}

/** The state of one type on one stream. */
export interface Subscription {
  /** Whether the client wants all that its scope holds. */
  wildcard: boolean;
  /** The names that the client asked for itself. */
  readonly explicit: Set<string>;
  /** Endpoints that were sent behind their Cluster, before the client asked for them. */
  readonly ahead: Set<string>;
  /** What the client has once it has read all that was sent. */
  readonly held: Map<string, Sent>;
  /** What the client has acknowledged last: it may still be using this. */
  readonly confirmed: Map<string, Sent>;
  readonly refused: Map<string, Refused>;
  /** Names of a type that is not learned, asked while there was nothing of that name; oldest first. */
  readonly vain: Set<string>;
  /** Names to look at before the next response. */
  readonly dirty: Set<string>;
  /** Names to take from the client once nothing else is due. */
  readonly leaving: Set<string>;
  /** Names that are sent although the client seems to hold them: it has asked (again). */
  readonly forced: Set<string>;
  /** Names that are sent one by one, to find which of a refused response is at fault. */
  readonly alone: Set<string>;
  /** By nonce, oldest first. */
  readonly inflight: Map<string, readonly Sent[]>;
  /** A first wildcard request wants an answer even if there is nothing to send. */
  owed: boolean;
}

/** A type that the client has not yet spoken of. */
export function createSubscription(): Subscription {
  return {
    wildcard: false,
    explicit: new Set(),
    ahead: new Set(),
    held: new Map(),
    confirmed: new Map(),
    refused: new Map(),
    vain: new Set(),
    dirty: new Set(),
    leaving: new Set(),
    forced: new Set(),
    alone: new Set(),
    inflight: new Map(),
    owed: false,
  };
}

/** Whether what the client was last sent of a name is not yet acknowledged. */
export function isInFlight({ held, inflight }: Subscription, name: string): boolean {
  return inflight.has(held.get(name)?.nonce ?? '');
}

/** The resources that a response held, or none when the nonce is not, or no longer, awaited. */
export function take({ inflight }: Subscription, nonce: string): readonly Sent[] {
  const sent = inflight.get(nonce) ?? [];
  inflight.delete(nonce);
  return sent;
}

/** Now it is known what a version is that the client has from an earlier stream. */
export function identify({ held, confirmed }: Subscription, resource: Resource): void {
  const sent = held.get(resource.name);
  if (!sent || sent.resource) return;
  const known = { ...sent, resource };
  held.set(resource.name, known);
  if (confirmed.get(resource.name) === sent) confirmed.set(resource.name, known);
}

/** The client has taken over what it was sent. */
export function confirm({ held, confirmed }: Subscription, sent: Sent): void {
  if (!sent.version && confirmed.get(sent.name)?.since === sent.since) confirmed.delete(sent.name);
  if (sent.version && held.get(sent.name)?.since === sent.since) confirmed.set(sent.name, sent);
}

/** The client has not taken over what it was sent: it holds what it held before, unless something else is under way. */
export function restore({ held, confirmed }: Subscription, sent: Sent): void {
  if (held.get(sent.name) !== sent) return;
  const before = confirmed.get(sent.name);
  if (before) held.set(sent.name, before);
  else held.delete(sent.name);
}

/** The client has let go of a name by itself. */
export function forget(subscription: Subscription, name: string): void {
  const { held, confirmed, refused, dirty, forced, leaving, alone } = subscription;
  for (const names of [held, confirmed, refused, dirty, forced, leaving, alone]) names.delete(name);
}
