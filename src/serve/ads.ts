/** One ADS stream from its first request to its end, whichever transport carries it. */
import type { ResourceType } from '../envoy/resource.js';
import type { Node } from '../envoy/types.js';
import type { ClassOf, Scopes } from '../snapshot/scopes.js';
import { createClient } from './client.js';
import { guard } from './guard.js';
import type { Protocol } from './protocol.js';
import type { Registry, StreamCounters } from './registry.js';
import type { Scheduler } from './scheduler.js';
import { createStream, type Stream, type Write } from './stream.js';
import type { Conversation } from './streams.js';
import { isRefusal, type Refusal, Refused } from './subject.js';

/** What the streams of a server share. */
export interface AdsContext<Audience, Subject> {
  readonly scopes: Scopes<Audience>;
  readonly registry: Registry;
  readonly scheduler: Scheduler;
  /** Who a node is; a string says what is wrong with what it says, a refusal that the one who opened the stream may not be it. */
  readonly classify: (node: Node, subject: Subject) => ClassOf<Audience> | Refusal | string;
  /** Whether a subject may have the resource of this type and name, asked for each; `*` stands for all of the type. What is denied is answered with silence. */
  readonly may: (subject: Subject, type: ResourceType, name: string) => boolean;
  /** Told of what was denied. */
  readonly onDenied?: ((node: Node, type: ResourceType, name: string) => void) | undefined;
  /** A stream of this class has begun; it has ended when the function that is returned is called. */
  readonly enter?: ((who: ClassOf<Audience>) => () => void) | undefined;
  /** Whose status a subject may see; everybody's unless given. */
  readonly maySee?: ((subject: Subject, node: Node) => boolean) | undefined;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Told of every refusal, in the client's words. */
  readonly onRefusal: (node: Node, typeUrl: string, message: string) => void;
  /** Told when a response could not be composed: a defect, which ends one stream. */
  readonly onDefect?: ((error: unknown) => void) | undefined;
}

interface Opened {
  readonly stream: Stream;
  readonly counters: StreamCounters;
  readonly node: Node;
  readonly leave: () => void;
}

/** What carries a stream. */
export interface Transport<Subject> {
  /** Who has opened it. */
  readonly subject: Subject;
  /** The client's address, for people. */
  readonly peer: string;
  readonly write: Write;
  /** A response could not be composed; the stream has to end. */
  readonly onDefect: (error: unknown) => void;
}

/** A stream that has not yet heard from its client. */
export function createSession<Audience, Subject>(context: AdsContext<Audience, Subject>, protocol: Protocol, transport: Transport<Subject>): Conversation {
  let opened: Opened | undefined;
  let isClosed = false;
  return {
    receive: async (bytes) => {
      if (isClosed) return;
      const request = protocol.read(bytes);
      opened ??= open(context, protocol, request.node ?? {}, transport);
      opened.counters.requests++;
      if (request.refusal !== undefined) {
        opened.counters.rejections++;
        context.onRefusal(opened.node, bounded(request.typeUrl), request.refusal);
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

function open<Audience, Subject>(
  context: AdsContext<Audience, Subject>,
  protocol: Protocol,
  node: Node,
  { subject, peer, write, onDefect }: Transport<Subject>,
): Opened {
  const { scopes, registry, scheduler, clock, enter = () => () => undefined } = context;
  const who = context.classify(node, subject);
  if (typeof who === 'string') throw new Refused({ refused: 'INVALID_ARGUMENT', reason: who });
  if (isRefusal(who)) throw new Refused(who);
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
  const kept = keptOf(node);
  const guarded = guard(client, {
    may: (type, name) => context.may(subject, type, name),
    onDenied: (type, name) => context.onDenied?.(kept, type, name),
  });
  const stream = createStream({ protocol, client: guarded, write, scheduler, counters, clock, onDefect });
  wake = stream.wake;
  const connection = { node: kept, variant: protocol.variant, peer, since: new Date(clock()).toISOString(), client, counters };
  registry.add(connection);
  const leaveClass = enter(who);
  const leave = () => {
    stream.close();
    leaveScope();
    leaveClass();
    registry.remove(connection);
  };
  return { stream, counters, node: connection.node, leave };
}

/** By what people find a client and tell its version. The rest of a node, up to the size of a request, is not kept while the stream is open. */
function keptOf({ id, cluster, user_agent_name, locality }: Node): Node {
  return {
    ...(id === undefined ? {} : { id: bounded(id) }),
    ...(cluster === undefined ? {} : { cluster: bounded(cluster) }),
    ...(user_agent_name === undefined ? {} : { user_agent_name: bounded(user_agent_name) }),
    ...(locality?.zone === undefined ? {} : { locality: { zone: bounded(locality.zone) } }),
  };
}

const maxWords = 512;

/** Copied where it is cut, so that the rest is not kept alive with it. */
function bounded(text: string): string {
  return text.length <= maxWords ? text : Buffer.from(text.slice(0, maxWords)).toString();
}
