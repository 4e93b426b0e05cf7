/** Of several replicas one is the holder: leader election over a Lease, with the rules of client-go. */
import { type KubeClient, KubeError } from '../kubernetes/api.js';
import { decide, defaultRules, isHolding, type LeaseRules, type SeenLease } from './lease-decision.js';
import { heldBy, type LeaseObject, microTime, newLease, readLease, released } from './lease-object.js';
import type { Timers } from './timers.js';

/** What a contender is told. */
export interface LeaseOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  /** Unique among the contenders: the name of the pod. */
  readonly identity: string;
  /** Milliseconds since 1970, for the times that people read. */
  readonly clock: () => number;
  readonly timers: Timers;
  /** Told when this contender becomes the holder, and when it is one no more. */
  readonly onChange: (isHolder: boolean) => void;
  /** An attempt has failed, in another way than the one before; the next one comes by itself. A write that another contender forestalled is no failure. */
  readonly onError: (error: unknown) => void;
  readonly rules?: LeaseRules | undefined;
}

/** A contender. */
export interface Lease {
  /** Whether this contender may act as the holder at this moment: never while another one may. */
  readonly isHolder: () => boolean;
  /** Who holds the Lease as far as is known; empty when nobody does. */
  readonly holder: () => string;
  /** Stops, and lets another take over at once. */
  readonly close: () => Promise<void>;
}

interface State extends LeaseOptions {
  readonly rules: LeaseRules;
  readonly path: string;
  /** What was seen last; undefined before the first look, and after a conflict. */
  known: { readonly object: LeaseObject; readonly seen: SeenLease } | undefined;
  /** When the last successful renewal was begun. */
  renewedAt: number | undefined;
  /** What `onChange` was told last. */
  told: boolean;
  isClosed: boolean;
  /** The last complaint, while it goes on. */
  lastError: string;
  cancelAttempt: () => void;
  cancelDeadline: () => void;
  /** The attempt that is under way. */
  attempt: Promise<void>;
}

/** Begins to contend. A missing Lease is made, where that is allowed. */
export function createLease(options: LeaseOptions): Lease {
  const state: State = {
    ...options,
    rules: options.rules ?? defaultRules,
    path: `/apis/coordination.k8s.io/v1/namespaces/${options.namespace}/leases`,
    ...{ known: undefined, renewedAt: undefined, told: false, isClosed: false, lastError: '' },
    ...{ cancelAttempt: () => {}, cancelDeadline: () => {}, attempt: Promise.resolve() },
  };
  attemptNow(state);
  return {
    isHolder: () => isHolder(state),
    holder: () => (isHolder(state) ? state.identity : (state.known?.seen.holder ?? '')),
    close: () => close(state),
  };
}

function isHolder({ renewedAt, rules, timers, isClosed }: State): boolean {
  return !isClosed && isHolding(renewedAt, rules, timers.now());
}

function attemptNow(state: State): void {
  state.attempt = attempt(state).then(() => {
    tell(state);
    if (!state.isClosed) state.cancelAttempt = state.timers.after(state.rules.retryMs, () => attemptNow(state));
  });
}

async function attempt(state: State): Promise<void> {
  try {
    const isOurs = state.known?.seen.holder === state.identity;
    if (isOurs && (await renewUnseen(state))) return;
    const { object, seen } = await look(state);
    if (decide(state.identity, seen, state.timers.now()) === 'wait') state.renewedAt = undefined;
    else if (!state.isClosed) await take(state, object);
    state.lastError = '';
  } catch (error) {
    if (!isConflict(error)) complain(state, error);
  }
}

/** The holder renews without looking first. False when somebody else has written the Lease meanwhile. */
async function renewUnseen(state: State): Promise<boolean> {
  if (!state.known || state.isClosed) return true;
  try {
    await take(state, state.known.object);
    state.lastError = '';
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof KubeError && error.status === 409;
}

/** Every two seconds the same is no news. */
function complain(state: State, error: unknown): void {
  const text = String(error);
  if (text !== state.lastError) state.onError(error);
  state.lastError = text;
}

/** Reads the Lease; one that does not exist is as good as an empty one. */
async function look(state: State): Promise<NonNullable<State['known']>> {
  const object = await state.client.request({ method: 'GET', path: `${state.path}/${state.name}`, timeoutMs: timeoutOf(state) }).then(readLease, absent(state));
  const before = state.known?.seen;
  const seenAt = before && before.version === object.version ? before.seenAt : state.timers.now();
  state.known = { object, seen: { holder: object.holder, durationMs: object.durationMs, version: object.version, seenAt } };
  return state.known;
}

function absent({ namespace, name }: State): (error: unknown) => LeaseObject {
  return (error) => {
    if (error instanceof KubeError && error.status === 404) return newLease(namespace, name);
    throw error;
  };
}

/** Before the deadline of a holder there is time for two attempts. */
function timeoutOf({ rules }: State): number {
  return rules.renewDeadlineMs / 2;
}

async function take(state: State, lease: LeaseObject): Promise<void> {
  const startedAt = state.timers.now();
  const body = heldBy(lease, state.identity, state.rules.durationMs, microTime(state.clock()));
  const object = readLease(await send(state, lease, body));
  state.known = { object, seen: { holder: object.holder, durationMs: object.durationMs, version: object.version, seenAt: startedAt } };
  // Others count from when they saw this renewal, which is after it was begun.
  state.renewedAt = startedAt;
  state.cancelDeadline();
  state.cancelDeadline = state.timers.after(startedAt + state.rules.renewDeadlineMs - state.timers.now(), () => tell(state));
}

function send(state: State, lease: LeaseObject, body: object): Promise<unknown> {
  const timeoutMs = timeoutOf(state);
  if (lease.version === '') return state.client.request({ method: 'POST', path: state.path, body, timeoutMs });
  return state.client.request({ method: 'PUT', path: `${state.path}/${state.name}`, body, timeoutMs });
}

function tell(state: State): void {
  const now = isHolder(state);
  if (now === state.told) return;
  state.told = now;
  state.onChange(now);
}

async function close(state: State): Promise<void> {
  if (state.isClosed) return;
  state.isClosed = true;
  state.cancelAttempt();
  state.cancelDeadline();
  tell(state);
  await Promise.race([state.attempt, new Promise<void>((resolve) => state.timers.after(releaseMs, resolve))]);
  const { known } = state;
  if (known?.seen.holder !== state.identity) return;
  const body = released(known.object, microTime(state.clock()));
  const request = { method: 'PUT', path: `${state.path}/${state.name}`, body, timeoutMs: releaseMs } as const;
  await state.client.request(request).catch((error: unknown) => complain(state, error));
}

/** A process that ends does not wait longer than this, and others take over when the Lease has run out. */
const releaseMs = 2_000;
