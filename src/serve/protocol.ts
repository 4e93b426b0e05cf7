/** What the two variants of the protocol have in common, as seen from a stream. */
import type { Node } from '../envoy/types.js';
import type { Batch, ClientTraits } from './batch.js';
import type { Client } from './client.js';

/** A request that has been read. */
export interface Received {
  /** Who the client is; Envoy says so on the first request of a stream only. */
  readonly node: Node | undefined;
  readonly typeUrl: string;
  /** The client's words when it refuses a response. */
  readonly refusal: string | undefined;
  /** What the request does to the client's state, in steps of bounded work. */
  readonly steps: (client: Client) => readonly (() => void)[];
}

/** One variant, with the state that it keeps for one stream. */
export interface Protocol {
  readonly variant: 'delta' | 'sotw';
  readonly traits: ClientTraits;
  /** Throws an Error when the bytes are no request. */
  readonly read: (bytes: Buffer) => Received;
  /** Undefined when the variant has no words for the batch. */
  readonly write: (client: Client, batch: Batch) => Buffer | undefined;
}

/** How many characters of a client's words are kept. */
const maxWords = 4_096;

/** The client's words, bounded; copied, so that the rest of a huge text is not kept alive with them. */
export function wordsOf(message: string): string {
  return message.length <= maxWords ? message : Buffer.from(message.slice(0, maxWords)).toString();
}
