/** What the state machine of a client and the two variants of the protocol say to each other. */
import type { ResourceType } from '../envoy/resource.js';
import type { Resource } from '../snapshot/resource.js';

/** One response, before it is written. */
export interface Batch {
  readonly type: ResourceType;
  readonly nonce: string;
  readonly send: readonly Resource[];
  /** Names that the client asked for and that do not exist. */
  readonly absent: readonly string[];
  /** Names that the client holds and must let go. */
  readonly remove: readonly string[];
}

/** How a client differs from others. */
export interface ClientTraits {
  /** Endpoints are sent right behind a Cluster, unasked, which saves Envoy a round trip. */
  readonly pushEndpoints: boolean;
  /** The names of a refused response are tried one by one. Not with SotW, whose responses are whole. */
  readonly isolate: boolean;
  /** No second response of a type before the first one is acknowledged. */
  readonly oneAtATime: boolean;
  /** Types whose responses hold all that the client is to hold, and so must not be cut in parts. */
  readonly wholeTypes: ReadonlySet<ResourceType>;
}
