/** The status of Weft in a cluster: that of each replica, added up. */
import type { Diagnostic } from '../model/diagnostic.js';
import type { PolicyRow, ProxyRow, RejectionRow } from '../status/report.js';
import { noProxies } from '../status/tally.js';
import type { UnmeshedPod } from '../status/unmeshed.js';
import type { ReplicaPage } from './status-replicas.js';
import type { Status } from './status-report.js';

/** What one replica has answered. */
type ReplicaAnswer = ReplicaPage<Status>;

/** One row of the table of replicas. */
export interface ReplicaRow {
  readonly replica: string;
  readonly proxies: number;
  /** Whether it holds the Lease, and so writes status. */
  readonly isHolder: boolean;
  /** What is wrong with it; empty when nothing is. */
  readonly problem: string;
}

/** The status of the whole. */
export interface ClusterStatus {
  readonly replicas: readonly ReplicaRow[];
  readonly proxies: readonly (ProxyRow & { readonly replica: string })[];
  readonly policies: readonly PolicyRow[];
  readonly rejections: readonly RejectionRow[];
  readonly unmeshed: readonly UnmeshedPod[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Adds up what the replicas say. Pure. */
export function mergeStatuses(answers: readonly ReplicaAnswer[]): ClusterStatus {
  const statuses = answers.flatMap(({ page }) => page ?? []);
  const proxies = answers.flatMap(({ pod, page }) => (page?.proxies ?? []).map((row) => ({ ...row, replica: pod })));
  const holder = holderOf(statuses);
  return {
    replicas: answers.map((answer) => replicaRow(answer, holder)),
    proxies: proxies.sort((a, b) => (a.proxy < b.proxy ? -1 : 1)),
    policies: sumPolicies(statuses.flatMap(({ policies }) => policies)),
    rejections: statuses.flatMap(({ rejections }) => rejections),
    unmeshed: once(statuses.flatMap(({ cluster }) => cluster?.unmeshed ?? [])),
    diagnostics: once(statuses.flatMap(({ diagnostics }) => diagnostics)),
  };
}

/** Whether a person has to see to something: a refusal, a broken object, a replica that does not answer or does not hear of changes, or nobody who writes status. */
export function isTroubled({ replicas, rejections, diagnostics }: ClusterStatus): boolean {
  if (rejections.length > 0 || diagnostics.some(({ severity }) => severity === 'error')) return true;
  return replicas.some(({ problem }) => problem !== '') || !replicas.some(({ isHolder }) => isHolder);
}

/** The one that says so of itself; another one's word may be old. */
function holderOf(statuses: readonly Status[]): string {
  return statuses.flatMap(({ cluster }) => (cluster && cluster.holder === cluster.identity ? [cluster.identity] : []))[0] ?? '';
}

function replicaRow({ pod, page: status, problem }: ReplicaAnswer, holder: string): ReplicaRow {
  const deaf = (status?.cluster?.deaf ?? []).map(({ kind, problem: why }) => `hears of no changes of ${kind}: ${why}`);
  return { replica: pod, proxies: status?.proxies.length ?? 0, isHolder: holder === pod, problem: problem ?? deaf.join('; ') };
}

function sumPolicies(rows: readonly PolicyRow[]): readonly PolicyRow[] {
  const sums = new Map<string, PolicyRow>();
  for (const { policy, matched, acknowledged, rejected, pending } of rows) {
    const sum = sums.get(policy) ?? noProxies;
    sums.set(policy, {
      ...{ policy, matched: sum.matched + matched, acknowledged: sum.acknowledged + acknowledged },
      ...{ rejected: sum.rejected + rejected, pending: sum.pending + pending },
    });
  }
  return [...sums.values()].sort((a, b) => (a.policy < b.policy ? -1 : 1));
}

/** All replicas see the same objects. */
function once<T>(items: readonly T[]): readonly T[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
