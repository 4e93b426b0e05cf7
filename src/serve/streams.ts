/** The streams that are open: how many there may be, whose they are, and when they have to end. */
import type { ServeLimits } from './limits.js';
import { type Bearer, isRefusal, type Refusal } from './subject.js';

/** One side of a stream of any method. */
export interface Conversation {
  /** Takes the bytes of a request; the next comes when it resolves. Rejects with an Error that the client is to be told. */
  readonly receive: (request: Buffer) => Promise<void>;
  readonly close: () => void;
  /** Since when the client has not read, by the server's clock; undefined while it does. */
  readonly waitingSince: () => number | undefined;
  /** Whether the client has made its first request. */
  readonly hasBegun: () => boolean;
}

/** An open stream. */
export interface OpenStream<Subject> {
  readonly subject: Subject;
  readonly conversation: Conversation;
  /** Asks again who its client is, by the credential that it was opened with. Never rejects. */
  readonly recheck: () => Promise<object>;
  /** Ends it with a status. */
  readonly end: (refusal: Refusal) => void;
  /** Ends it at once, for a client that would not even read the status. */
  readonly cut: () => void;
}

/** All open streams. */
export interface OpenStreams<Subject> {
  /** Why there is no room for this one; or undefined, and it is one of them. */
  readonly add: (stream: OpenStream<Subject>) => Refusal | undefined;
  readonly remove: (stream: OpenStream<Subject>) => void;
  /** Ends those whose credential has ended, those that have not read for too long, and, a moment later, those whose credential has been taken back. */
  readonly sweep: (now: number) => void;
  /** Ends those whose subject is meant; returns how many. */
  readonly endOf: (isMeant: (subject: Subject) => boolean, refusal: Refusal) => number;
  readonly size: () => number;
  /** Closes every conversation; the transport is gone. */
  readonly close: () => void;
}

/** None yet. The clock is in milliseconds since 1970. */
export function createOpenStreams<Subject extends Bearer>(limits: ServeLimits, clock: () => number): OpenStreams<Subject> {
  const open = new Set<OpenStream<Subject>>();
  /** When each is to be asked again; none while it is being asked. */
  const due = new WeakMap<OpenStream<Subject>, number>();
  const counts = new Map<string, number>();
  const count = ({ id }: Subject, by: number) => {
    if (id === undefined) return;
    const next = (counts.get(id) ?? 0) + by;
    if (next > 0) counts.set(id, next);
    else counts.delete(id);
  };
  return {
    add: (stream) => {
      const mine = counts.get(stream.subject.id ?? '') ?? 0;
      if (open.size >= limits.streams) return exhausted(`this server has ${limits.streams} streams already`);
      if (mine >= limits.streamsPerSubject) return exhausted(`${stream.subject.id} has ${limits.streamsPerSubject} streams already`);
      open.add(stream);
      due.set(stream, (stream.subject.verifiedAt ?? clock()) + recheckAfter(limits));
      count(stream.subject, 1);
      return undefined;
    },
    remove: (stream) => {
      if (open.delete(stream)) count(stream.subject, -1);
    },
    sweep: (now) => {
      for (const stream of [...open]) {
        endIfOverdue(stream, now, limits);
        if (now < (due.get(stream) ?? 0)) continue;
        due.set(stream, Number.POSITIVE_INFINITY);
        void recheck(stream, () => open.has(stream)).then((isKnown) => due.set(stream, now + recheckAfter(limits) / (isKnown ? 1 : 5)));
      }
    },
    endOf: (isMeant, refusal) => {
      const meant = [...open].filter(({ subject }) => isMeant(subject));
      for (const stream of meant) finish(stream, refusal);
      return meant.length;
    },
    size: () => open.size,
    close: () => {
      for (const { conversation } of open) conversation.close();
    },
  };
}

function exhausted(reason: string): Refusal {
  return { refused: 'RESOURCE_EXHAUSTED', reason };
}

function endIfOverdue<Subject extends Bearer>(stream: OpenStream<Subject>, now: number, { unreadMs }: ServeLimits): void {
  const { expiresAt = Number.POSITIVE_INFINITY } = stream.subject;
  const since = stream.conversation.waitingSince() ?? now;
  if (now >= expiresAt) finish(stream, { refused: 'UNAUTHENTICATED', reason: 'the credential of this stream has expired; come back with a new one' });
  else if (now - since > unreadMs) finish(stream, { refused: 'UNAVAILABLE', reason: 'the client has not read for too long' });
}

/** Not all at once, though they may all have come at once. */
function recheckAfter({ recheckMs }: ServeLimits): number {
  return recheckMs * (0.8 + Math.random() / 5);
}

/** Only who is known to be refused has to go: while nobody can say, as when the API server is away, the stream goes on, and the answer is false. */
async function recheck<Subject>(stream: OpenStream<Subject>, isOpen: () => boolean): Promise<boolean> {
  const verdict = await stream.recheck();
  if (!isRefusal(verdict)) return true;
  const isFinal = final.has(verdict.refused);
  if (isOpen() && isFinal) finish(stream, verdict);
  return isFinal;
}

const final: ReadonlySet<Refusal['refused']> = new Set(['UNAUTHENTICATED', 'PERMISSION_DENIED']);

/** The status comes after all messages, so who does not read would keep both for ever. */
function finish<Subject>({ conversation, end, cut }: OpenStream<Subject>, refusal: Refusal): void {
  const isReading = conversation.waitingSince() === undefined;
  end(refusal);
  if (!isReading) cut();
}
