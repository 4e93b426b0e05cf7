/** One ADS stream from its first request to its end, whichever transport carries it. */
import type { Node } from '../envoy/types.js';
import type { ClassOf, Scopes } from '../snapshot/scopes.js';
import { createClient } from './client.js';
import type { Protocol } from './protocol.js';
import type { Registry, StreamCounters } from './registry.js';
import type { Scheduler } from './scheduler.js';
import { createStream, type Stream, type Write } from './stream.js';

/** What the streams of a server share. */
export interface AdsContext<Audience> {
  readonly scopes: Scopes<Audience>;
  readonly registry: Registry;
  readonly scheduler: Scheduler;
  /** Who a node is; a string says why it is nobody. */
  readonly classify: (node: Node) => ClassOf<Audience> | string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Told of every refusal, in the client's words. */
  readonly onRefusal: (node: Node, typeUrl: string, message: string) => void;
  /** Told when a response could not be composed: a defect, which ends one stream. */
  readonly onDefect?: ((error: unknown) => void) | undefined;
}

/** One ADS stream. */
export interface AdsSession {
  /** Takes the bytes of a request. Rejects with an Error that the client is to be told when they are no request of a known node. */
  readonly receive: (request: Buffer) => Promise<void>;
  readonly close: () => void;
  /** Since when the client has not read, by the context's clock; undefined while it does. */
  readonly waitingSince: () => number | undefined;
  /** Whether the client has said who it is. */
  readonly hasBegun: () => boolean;
}

interface Opened {
  readonly stream: Stream;
  readonly counters: StreamCounters;
  readonly node: Node;
  readonly leave: () => void;
}

/** What carries a stream. */
export interface Transport {
  /** The client's address, for people. */
  readonly peer: string;
  readonly write: Write;
  /** A response could not be composed; the stream has to end. */
  readonly onDefect: (error: unknown) => void;
}

/** A stream that has not yet heard from its client. */
export function createSession<Audience>(context: AdsContext<Audience>, protocol: Protocol, { peer, write, onDefect }: Transport): AdsSession {
  let opened: Opened | undefined;
  let isClosed = false;
  return {
    receive: async (bytes) => {
      if (isClosed) return;
      const request = protocol.read(bytes);
      opened ??= open(context, protocol, request.node ?? {}, { peer, write, onDefect });
      opened.counters.requests++;
      if (request.refusal !== undefined) {
        opened.counters.rejections++;
        context.onRefusal(opened.node, request.typeUrl, request.refusal);
      }
      await opened.stream.receive(request);
    },
    close: () => {
      if (!isClosed) opened?.leave();
      isClosed = true;
    },
    waitingSince: () => opened?.stream.waitingSince(),
    hasBegun: () => opened !== undefined,
  };
}

function open<Audience>(context: AdsContext<Audience>, protocol: Protocol, node: Node, { peer, write, onDefect }: Transport): Opened {
  const { scopes, registry, scheduler, clock } = context;
  const who = context.classify(node);
  if (typeof who === 'string') throw new Error(who);
  let wake = () => {};
  let leaveScope = () => {};
  const client = createClient(
    protocol.traits,
    (member) => {
      leaveScope = () => scopes.leave(who, member);
      return scopes.join(who, member);
    },
    () => wake(),
  );
  const counters = { requests: 0, responses: 0, bytes: 0, rejections: 0 };
  const stream = createStream({ protocol, client, write, scheduler, counters, clock, onDefect });
  wake = stream.wake;
  const connection = { node, variant: protocol.variant, peer, since: new Date(clock()).toISOString(), client, counters };
  registry.add(connection);
  const leave = () => {
    stream.close();
    leaveScope();
    registry.remove(connection);
  };
  return { stream, counters, node, leave };
}
