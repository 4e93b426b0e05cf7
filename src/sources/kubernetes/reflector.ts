/** Follows one kind: a list, then a watch from there on, for ever. What is known stays while the API server is away. */
import { type KubeClient, KubeError, type WatchEvent } from '../../kubernetes/api.js';
import { isPlain, textOf } from '../../kubernetes/plain.js';
import type { Change } from '../change.js';
import { type Backoff, createBackoff } from './backoff.js';
import type { Clock } from './clock.js';
import { collectionPath } from './collection.js';
import type { KindContents } from './contents.js';
import { isExpired, listAll } from './list.js';

/** How it stands with one kind. */
export interface KindState {
  /** `weft.dev/v1alpha1/TrafficPolicy`. */
  readonly id: string;
  /** Whether all its objects have been read once. */
  readonly synced: boolean;
  /** Whether its changes arrive at the moment. */
  readonly following: boolean;
  readonly objects: number;
  /** Why its changes do not arrive, and what to do; undefined while they do. */
  readonly problem: string | undefined;
  /** When the API server was last heard of this kind, by the clock; undefined when never. */
  readonly lastEvent: number | undefined;
}

/** What a reflector is made of. */
export interface ReflectorOptions {
  /** `v1/Pod`. */
  readonly id: string;
  readonly client: KubeClient;
  readonly contents: KindContents;
  readonly clock: Clock;
  readonly onChanges: (changes: readonly Change[]) => void;
  /** Called when the first list is complete, after its changes. */
  readonly onSynced: () => void;
  /** Called when `following`, `synced` or `problem` differ. */
  readonly onState: (state: KindState) => void;
  readonly signal: AbortSignal;
}

/** One kind that is being followed. */
export interface Reflector {
  readonly state: () => KindState;
  /** Where a failure is being waited out, tries again now. */
  readonly wake: () => void;
  /** Gives up what has heard nothing since then, by the clock, and begins it anew. */
  readonly renew: (silentSince: number) => void;
  /** Resolves once the signal has been aborted and nothing is under way. */
  readonly done: Promise<void>;
}

/** A watch is asked to last between five and ten minutes, so that those of many replicas do not end together. */
const watchSeconds = 300;

/** A watch that has lasted this long was in order, however it ended. */
const soundMs = 10_000;

interface Loop extends ReflectorOptions {
  readonly path: string;
  /** Where the watch goes on from; undefined when everything has to be listed. */
  version: string | undefined;
  synced: boolean;
  following: boolean;
  problem: string | undefined;
  lastEvent: number | undefined;
  /** When the API server took the watch that is under way. */
  opened: number | undefined;
  /** When what is under way at the moment began, and what ends it: a request, a watch, or the wait after a failure. */
  begun: number;
  current: AbortController;
  isWaiting: boolean;
  readonly backoff: Backoff;
}

/** Begins to follow a kind. */
export function startReflector(options: ReflectorOptions): Reflector {
  const loop: Loop = {
    ...options,
    ...{ path: collectionPath(options.id), version: undefined, synced: false, following: false, problem: undefined },
    ...{ lastEvent: undefined, opened: undefined, begun: options.clock.now(), current: new AbortController(), isWaiting: false },
    backoff: createBackoff(options.clock.random),
  };
  return {
    state: () => stateOf(loop),
    wake: () => {
      loop.backoff.reset();
      if (loop.isWaiting) loop.current.abort();
    },
    renew: (silentSince) => {
      if (!loop.isWaiting && Math.max(loop.begun, loop.lastEvent ?? 0) < silentSince) loop.current.abort();
    },
    done: run(loop),
  };
}

async function run(loop: Loop): Promise<void> {
  const { signal, clock, backoff } = loop;
  let wasExpired = false;
  while (!signal.aborted) {
    const error = await interruptible(loop, (current) => listAndWatch(loop, current)).catch((reason: unknown) => reason ?? new Error('no reason given'));
    const wasSound = loop.opened !== undefined && clock.now() - loop.opened >= soundMs;
    if (wasSound) backoff.reset();
    if (loop.current.signal.aborted || (wasSound && error === undefined)) continue;
    const isFirstExpiry = isExpired(error) && !wasExpired;
    wasExpired = isExpired(error);
    if (isFirstExpiry) loop.version = undefined;
    else await waitOut(loop, error);
  }
}

/** A watch that the server has ended in an orderly way, but soon, is waited out too. */
async function waitOut(loop: Loop, error: unknown): Promise<void> {
  if (error !== undefined) fail(loop, error);
  loop.isWaiting = true;
  await interruptible(loop, (signal) => loop.clock.sleep(loop.backoff.next(), signal));
  loop.isWaiting = false;
}

/** Runs something that ends early when the loop is woken, renewed or closed. */
async function interruptible<T>(loop: Loop, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { signal } = loop;
  const current = new AbortController();
  loop.current = current;
  loop.begun = loop.clock.now();
  const abort = () => current.abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await task(current.signal);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function listAndWatch(loop: Loop, signal: AbortSignal): Promise<void> {
  loop.opened = undefined;
  if (loop.version === undefined) loop.version = await relist(loop, signal);
  const query = { resourceVersion: loop.version, allowWatchBookmarks: 'true', timeoutSeconds: String(Math.round(watchSeconds * (1 + loop.clock.random()))) };
  await loop.client.watch(
    loop.path,
    query,
    (event) => take(loop, event),
    signal,
    () => opened(loop),
  );
}

/** The changes of a list take effect together, when its last page is there. */
async function relist(loop: Loop, signal: AbortSignal): Promise<string> {
  const replacing = loop.contents.replace();
  const object = (raw: unknown) => {
    loop.lastEvent = loop.clock.now();
    replacing.object(raw);
  };
  const version = await listAll(loop.client, loop.path, { begin: replacing.begin, object }, signal);
  loop.onChanges(replacing.end());
  loop.lastEvent = loop.clock.now();
  if (loop.synced) return version;
  setState(loop, { synced: true, problem: undefined });
  loop.onSynced();
  return version;
}

function opened(loop: Loop): void {
  loop.opened = loop.clock.now();
  loop.lastEvent = loop.opened;
  setState(loop, { following: true, problem: undefined });
}

function take(loop: Loop, { type, object }: WatchEvent): void {
  if (loop.opened === undefined) opened(loop);
  loop.lastEvent = loop.clock.now();
  if (type === 'DELETED') loop.onChanges(loop.contents.remove(object));
  else if (type !== 'BOOKMARK') loop.onChanges(loop.contents.put(object));
  loop.version = textOf(isPlain(object) ? object['metadata'] : undefined, 'resourceVersion') || loop.version;
}

/** Statuses after which the same watch may be asked for again; after any other refusal everything is listed anew. */
const passing = [429, 500, 502, 503];

function fail(loop: Loop, error: unknown): void {
  if (error instanceof KubeError && !passing.includes(error.status)) loop.version = undefined;
  setState(loop, { following: false, problem: explain(loop.id, error) });
}

function explain(id: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof KubeError)) return message;
  if (error.status === 404) {
    const how = id.startsWith('weft.dev/') ? 'weft crd | kubectl apply -f -' : 'its CustomResourceDefinition';
    return `the API server does not know ${id}; install it: ${how}`;
  }
  return error.status === 403 ? `${message}; grant the verbs list and watch` : message;
}

function setState(loop: Loop, next: Partial<Pick<Loop, 'synced' | 'following' | 'problem'>>): void {
  const before = stateOf(loop);
  Object.assign(loop, next);
  const { synced, following, problem } = loop;
  if (synced !== before.synced || following !== before.following || problem !== before.problem) loop.onState(stateOf(loop));
}

function stateOf({ id, synced, following, contents, problem, lastEvent }: Loop): KindState {
  return { id, synced, following, objects: contents.size(), problem, lastEvent };
}
