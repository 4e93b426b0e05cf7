/** How a status is shown to people. */
import type { PolicyRow, ProxyRow, RejectionRow } from '../status/report.js';
import type { UnmeshedPod } from '../status/unmeshed.js';
import { formatDiagnostic } from './diagnostics.js';
import type { ClusterStatus, ReplicaRow } from './status-cluster.js';
import type { Status } from './status-report.js';
import { formatTable } from './table.js';

/** The status of one `weft serve` as tables. */
export function formatStatus({ proxies, policies, rejections, diagnostics, cluster }: Status): string {
  return join([
    formatTable(proxyHeading, proxies.map(proxyCells)),
    policyTable(policies),
    ...rejections.map(formatRejection),
    unmeshedTable(cluster?.unmeshed ?? []),
    diagnostics.map(formatDiagnostic).join(''),
  ]);
}

/** The status of all replicas in a cluster as tables. */
export function formatCluster({ replicas, proxies, policies, rejections, unmeshed, diagnostics }: ClusterStatus): string {
  return join([
    replicaTable(replicas),
    formatTable(
      [...proxyHeading, 'replica'],
      proxies.map((row) => [...proxyCells(row), row.replica]),
    ),
    policyTable(policies),
    ...rejections.map(formatRejection),
    unmeshedTable(unmeshed),
    diagnostics.map(formatDiagnostic).join(''),
  ]);
}

function join(parts: readonly string[]): string {
  return parts.filter(Boolean).join('\n');
}

const proxyHeading = ['proxy', 'variant', 'state', 'synced', 'pending', 'rejected', 'since'];

function proxyCells(row: ProxyRow): readonly string[] {
  return [row.proxy, row.variant, row.state, String(row.synced), String(row.pending), String(row.rejected), row.since];
}

function policyTable(policies: readonly PolicyRow[]): string {
  if (policies.length === 0) return '';
  return formatTable(
    ['policy', 'proxies', 'acknowledged', 'rejected', 'pending'],
    policies.map((row) => [row.policy, String(row.matched), String(row.acknowledged), String(row.rejected), String(row.pending)]),
  );
}

function formatRejection({ proxy, resource, causes, message }: RejectionRow): string {
  return `${proxy} rejects ${resource}\n    because of ${causes.join(', ')}\n    Envoy says: ${message}\n`;
}

function replicaTable(replicas: readonly ReplicaRow[]): string {
  return formatTable(
    ['replica', 'proxies', 'writes status', 'problem'],
    replicas.map(({ replica, proxies, isHolder, problem }) => [replica, String(proxies), isHolder ? 'yes' : 'no', problem || '-']),
  );
}

/** The pods by their trouble, each kind of which is explained once. */
function unmeshedTable(unmeshed: readonly UnmeshedPod[]): string {
  if (unmeshed.length === 0) return '';
  const table = formatTable(
    ['not meshed', 'reason'],
    unmeshed.map(({ pod, reason }) => [pod, reason]),
  );
  const reasons = [...new Map(unmeshed.map(({ reason, message }) => [reason, message]))];
  return `${table}${reasons.map(([reason, message]) => `    ${reason}: ${message}\n`).join('')}`;
}
