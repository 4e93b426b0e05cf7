/**
 * Writes the status of objects: only what differs from what the API server has, each object at most every two seconds, a few
 * a second in all, the last state wins. Nothing waits for it: a status that cannot be written is tried again later.
 */
import { setImmediate } from 'node:timers/promises';
import { type KubeClient, KubeError } from '../kubernetes/api.js';
import { fieldOf, textOf } from '../kubernetes/plain.js';
import { createBucket } from './bucket.js';
import type { Timers } from './timers.js';

/** An object whose status is ours to write. */
export interface StatusSubject {
  /** `/apis/weft.dev/v1alpha1/namespaces/shop/trafficpolicies/reviews`. */
  readonly path: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Left out for a cluster-scoped object. */
  readonly namespace?: string | undefined;
  /** The status to write, given the one on the server and the time (RFC 3339); undefined when that one says the same. */
  readonly compose: (present: unknown, now: string) => object | undefined;
}

/** What a writer is made of. */
export interface WriterOptions {
  readonly client: KubeClient;
  /** Asked right before each write; what is wanted while this replica is not the holder is dropped. */
  readonly isHolder: () => boolean;
  readonly timers: Timers;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** A status could not be written; it is tried again later, unless the server says that it is invalid. */
  readonly onError: (path: string, error: unknown) => void;
}

/** Writes in the background. */
export interface StatusWriter {
  /** Wants the status of this object to be as `compose` says, in place of what was wanted before. */
  readonly put: (subject: StatusSubject) => void;
  /** Statuses written so far. */
  readonly writes: () => number;
  readonly close: () => void;
}

/** So long an object rests after a write, in milliseconds. */
const restMs = 2_000;
/** What is known of the server's state is read again after this long, in case somebody else has changed it. */
const rereadMs = 600_000;
const longestBackoffMs = 30_000;

interface Known {
  readonly resourceVersion: string;
  readonly status: unknown;
  readonly at: number;
}

interface State extends WriterOptions {
  /** By path, in the order in which they are taken up. */
  readonly wanted: Map<string, StatusSubject>;
  readonly known: Map<string, Known>;
  readonly restUntil: Map<string, number>;
  readonly failures: Map<string, number>;
  readonly writing: ReturnType<typeof createBucket>;
  readonly reading: ReturnType<typeof createBucket>;
  isBusy: boolean;
  isClosed: boolean;
  writes: number;
  cancelAlarm: () => void;
}

/** A writer that has nothing to write. */
export function createStatusWriter(options: WriterOptions): StatusWriter {
  const state: State = {
    ...options,
    ...{ wanted: new Map(), known: new Map(), restUntil: new Map(), failures: new Map() },
    ...{ writing: createBucket(10, 5), reading: createBucket(50, 20) },
    ...{ isBusy: false, isClosed: false, writes: 0, cancelAlarm: () => {} },
  };
  return {
    put: (subject) => {
      if (state.isClosed) return;
      state.wanted.set(subject.path, subject);
      void pump(state);
    },
    writes: () => state.writes,
    close: () => {
      state.isClosed = true;
      state.cancelAlarm();
      state.wanted.clear();
    },
  };
}

/** Takes up one object after another until all rest, or the rate is used up. */
async function pump(state: State): Promise<void> {
  if (state.isBusy) return;
  state.isBusy = true;
  state.cancelAlarm();
  let waitMs = 0;
  for (let count = 1; waitMs === 0 && !state.isClosed && state.wanted.size > 0; count++) {
    if (count % atOnce === 0) await setImmediate();
    if (state.isHolder()) waitMs = await takeUpNext(state);
    else resign(state);
  }
  state.isBusy = false;
  if (waitMs > 0 && !state.isClosed) state.cancelAlarm = state.timers.after(waitMs, () => void pump(state));
}

/** After so many objects, others have their turn. */
const atOnce = 32;

/** Another replica writes now, so what is known here grows stale. */
function resign({ wanted, known, restUntil, failures }: State): void {
  for (const table of [wanted, known, restUntil, failures]) table.clear();
}

/** Returns how many milliseconds to wait before the next one; 0 to go on at once. */
async function takeUpNext(state: State): Promise<number> {
  const now = state.timers.now();
  const { due, nextAt } = choose(state, now);
  if (!due) return Math.max(1, nextAt - now);
  const known = fresh(state, due.path, now);
  const status = known && due.compose(known.status, timeOf(state.clock()));
  if (known && !status) {
    state.wanted.delete(due.path);
    return 0;
  }
  const waitMs = (known ? state.writing : state.reading).take(now);
  if (waitMs > 0) return waitMs;
  await attempt(state, due, () => (known && status ? write(state, due, known, status) : read(state, due)));
  return 0;
}

/** The first that does not rest, or when the first of them will have rested. */
function choose({ wanted, restUntil }: State, now: number): { readonly due?: StatusSubject; readonly nextAt: number } {
  let nextAt = Number.POSITIVE_INFINITY;
  for (const subject of wanted.values()) {
    const until = restUntil.get(subject.path) ?? 0;
    if (until <= now) return { due: subject, nextAt: now };
    nextAt = Math.min(nextAt, until);
  }
  return { nextAt };
}

function fresh({ known }: State, path: string, now: number): Known | undefined {
  const found = known.get(path);
  return found && now - found.at < rereadMs ? found : undefined;
}

async function read(state: State, { path }: StatusSubject): Promise<void> {
  learn(state, path, await state.client.request({ method: 'GET', path }));
}

async function write(state: State, subject: StatusSubject, { resourceVersion }: Known, status: object): Promise<void> {
  const { path, apiVersion, kind, name, namespace } = subject;
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }), resourceVersion };
  learn(state, path, await state.client.request({ method: 'PUT', path: `${path}/status`, body: { apiVersion, kind, metadata, status } }));
  state.writes++;
  state.failures.delete(path);
  state.restUntil.set(path, state.timers.now() + restMs);
  if (state.wanted.get(path) === subject) state.wanted.delete(path);
}

function learn({ known, timers }: State, path: string, object: unknown): void {
  known.set(path, { resourceVersion: textOf(fieldOf(object, 'metadata'), 'resourceVersion'), status: fieldOf(object, 'status'), at: timers.now() });
}

async function attempt(state: State, subject: StatusSubject, action: () => Promise<void>): Promise<void> {
  const { path } = subject;
  try {
    await action();
  } catch (error) {
    state.known.delete(path);
    const status = error instanceof KubeError ? error.status : 0;
    // Deleted meanwhile, or nothing that a further attempt would change: until something else is wanted, that is all.
    if (status === 404 || status === 422) forget(state, path);
    else postpone(state, path, status === 409);
    if (status !== 404 && status !== 409) state.onError(path, error);
  }
}

function forget({ wanted, failures, restUntil }: State, path: string): void {
  for (const table of [wanted, failures, restUntil]) table.delete(path);
}

/** A first conflict only says that what was known is out of date. */
function postpone({ failures, restUntil, timers }: State, path: string, isConflict: boolean): void {
  const count = (failures.get(path) ?? 0) + 1;
  failures.set(path, count);
  const backoffMs = Math.min(longestBackoffMs, 1000 * 2 ** (count - 1));
  restUntil.set(path, timers.now() + (isConflict && count === 1 ? 0 : backoffMs));
}

/** RFC 3339, to the second, as Kubernetes writes times. */
function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
