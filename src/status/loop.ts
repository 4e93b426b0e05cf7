/** The holder of the Lease looks round every two seconds: what do policies, proxies and peers say, and what of it is to be written? */
import { type DesiredStatus, desiredStatuses } from './conditions.js';
import type { Events } from './events.js';
import type { Condition, StatusFacts } from './facts.js';
import type { Lease } from './lease.js';
import { addUp, type PeerReport, type Peers } from './peers.js';
import { stampConditions, stampPolicy } from './stamp.js';
import type { Timers } from './timers.js';
import type { UnmeshedPod } from './unmeshed.js';
import type { StatusSubject, StatusWriter } from './writer.js';

/** What is known of the objects; the counts come from the proxies. */
export type WorldFacts = Omit<StatusFacts, 'counts'> & {
  /** The conditions of Mesh objects by name. */
  readonly meshes: ReadonlyMap<string, readonly Condition[]>;
};

/** What the loop is made of. */
export interface StatusLoopOptions {
  readonly lease: Pick<Lease, 'isHolder'>;
  readonly writer: StatusWriter;
  readonly events: Events;
  readonly peers: Peers;
  /** A number that is another one whenever the facts may be. */
  readonly revision: () => number;
  /** Costly: asked only when the revision has changed. */
  readonly facts: () => Promise<WorldFacts>;
  /** What this replica's own proxies say. */
  readonly report: () => Promise<PeerReport>;
  readonly unmeshed: () => readonly UnmeshedPod[];
  readonly timers: Timers;
  /** A round has failed: a defect. The next one comes all the same. */
  readonly onError: (error: unknown) => void;
}

/** A running loop. */
export interface StatusLoop {
  /** How many ancestors of policies have a condition of this type, status and reason, as far as this replica knows: empty while it is not the holder. */
  readonly summary: () => readonly ConditionCount[];
  readonly close: () => void;
}

/** One row of the summary. */
export interface ConditionCount extends Pick<Condition, 'type' | 'status' | 'reason'> {
  readonly count: number;
}

const roundMs = 2_000;
/** After so many rounds all statuses are gone through, and not only those that have changed here: somebody else may have changed one. */
const fullRounds = 150;

interface State extends StatusLoopOptions {
  revisionSeen: number | undefined;
  world: WorldFacts | undefined;
  round: number;
  /** What each object's status was last wanted to be, as JSON by path. */
  wanted: Map<string, string>;
  summary: readonly ConditionCount[];
  isClosed: boolean;
  cancel: () => void;
}

/** Begins to look round. */
export function createStatusLoop(options: StatusLoopOptions): StatusLoop {
  const state: State = {
    ...options,
    ...{ revisionSeen: undefined, world: undefined, round: 0, wanted: new Map(), summary: [], isClosed: false, cancel: () => {} },
  };
  const next = () => {
    if (!state.isClosed) state.cancel = state.timers.after(roundMs, () => void lookRound(state).catch(state.onError).then(next));
  };
  next();
  return {
    summary: () => (state.lease.isHolder() ? state.summary : []),
    close: () => {
      state.isClosed = true;
      state.cancel();
    },
  };
}

async function lookRound(state: State): Promise<void> {
  if (!state.lease.isHolder()) return forget(state);
  if (state.round++ % fullRounds === 0) state.wanted = new Map();
  const revision = state.revision();
  if (!state.world || revision !== state.revisionSeen) state.world = await state.facts();
  state.revisionSeen = revision;
  const [own] = await Promise.all([state.report(), state.peers.refresh()]);
  if (!state.lease.isHolder()) return forget(state);
  publish(state, state.world, [own, ...state.peers.reports()]);
  await state.events.report(state.unmeshed());
}

/** What another replica writes meanwhile is not known here. */
function forget(state: State): void {
  state.world = undefined;
  state.round = 0;
  state.wanted = new Map();
}

function publish(state: State, world: WorldFacts, reports: readonly PeerReport[]): void {
  const generations = new Map(world.policies.map(({ key, generation }) => [String(key), generation]));
  const statuses = desiredStatuses({ ...world, counts: addUp(generations, reports) });
  state.summary = summarize(statuses);
  const subjects = [...[...statuses].map(policySubject), ...[...world.meshes].map(meshSubject)];
  const paths = new Set(subjects.map(({ subject }) => subject.path));
  for (const path of state.wanted.keys()) if (!paths.has(path)) state.wanted.delete(path);
  for (const { subject, says } of subjects) {
    if (state.wanted.get(subject.path) === says) continue;
    state.wanted.set(subject.path, says);
    state.writer.put(subject);
  }
}

interface Wish {
  readonly subject: StatusSubject;
  /** The status without times, as JSON. */
  readonly says: string;
}

const api = '/apis/weft.dev/v1alpha1';

function policySubject([key, desired]: readonly [string, DesiredStatus]): Wish {
  const [namespace = '', name = ''] = key.split('/');
  const path = `${api}/namespaces/${namespace}/trafficpolicies/${name}`;
  const compose = (present: unknown, now: string) => stampPolicy(desired, present, now);
  return { subject: { path, apiVersion: 'weft.dev/v1alpha1', kind: 'TrafficPolicy', namespace, name, compose }, says: JSON.stringify(desired) };
}

function meshSubject([name, conditions]: readonly [string, readonly Condition[]]): Wish {
  const compose = (present: unknown, now: string) => stampConditions(conditions, present, now);
  return { subject: { path: `${api}/meshes/${name}`, apiVersion: 'weft.dev/v1alpha1', kind: 'Mesh', name, compose }, says: JSON.stringify(conditions) };
}

function summarize(statuses: ReadonlyMap<string, DesiredStatus>): readonly ConditionCount[] {
  const rows = new Map<string, ConditionCount>();
  for (const { ancestors } of statuses.values()) {
    for (const { type, status, reason } of ancestors.flatMap(({ conditions }) => conditions)) {
      const id = `${type} ${status} ${reason}`;
      rows.set(id, { type, status, reason, count: (rows.get(id)?.count ?? 0) + 1 });
    }
  }
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}
