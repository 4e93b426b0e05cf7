/** How it stands with the cluster, in the eyes of this replica: its part of `/status`. */
import type { KindState } from '../../sources/kubernetes.js';
import type { ClusterSide } from '../status-report.js';
import type { ClusterStatus } from './cluster-status.js';

/** From who writes status and the state of the watches; `identity` is the name of this replica's pod. */
export function clusterSide(identity: string, { lease, unmeshed }: Pick<ClusterStatus, 'lease' | 'unmeshed'>, watch: readonly KindState[]): ClusterSide {
  const deaf = watch.flatMap(({ id, problem }) => (problem === undefined ? [] : [{ kind: id, problem }]));
  return { identity, holder: lease.holder(), unmeshed: unmeshed(), deaf };
}
