/** Ends the streams of Pods that are no longer what they were when the stream began. */

import type { PodSubject } from '../../identity/subject.js';
import { lastingLabels } from '../../model/labels.js';
import type { Pod } from '../../model/workload.js';
import type { Refusal } from '../../serve/subject.js';
import type { Change } from '../../sources/change.js';

/** Where streams are ended. */
export interface StreamEnder {
  readonly endStreamsOf: (isMeant: (subject: PodSubject) => boolean, reason: string, refused?: Refusal['refused']) => unknown;
}

/**
 * To be told of every change. A stream serves what Services say of its Pod's labels and ports as they were at its beginning, so one
 * whose Pod has got others (a database's new primary) has to begin anew. So has that of a Pod that is gone, also where
 * another has its name.
 */
export function createPodStreams(server: StreamEnder): (changes: readonly Change[]) => void {
  const known = new Map<string, string>();
  return (changes) => {
    const pods = changes.flatMap((change) => (change.kind === 'Pod' ? [change] : []));
    const uids = new Map(pods.map(({ key, object }) => [key, object?.uid]));
    if (uids.size > 0) server.endStreamsOf(({ id, uid }) => uids.has(id) && uids.get(id) !== uid, 'the pod of this stream is gone');
    const relabelled = new Set(pods.flatMap(({ key, object }) => (remember(known, key, object) ? [key] : [])));
    if (relabelled.size > 0) server.endStreamsOf(({ id }) => relabelled.has(id), relabelledReason, 'UNAVAILABLE');
  };
}

const relabelledReason = 'the labels or ports of this pod have changed; come back to be served by the new ones';

/** Whether a Pod with a sidecar was another before. */
function remember(known: Map<string, string>, key: string, pod: Pod | undefined): boolean {
  const before = known.get(key);
  if (pod?.proxy !== 'Injected') {
    known.delete(key);
    return false;
  }
  const now = JSON.stringify([Object.entries(lastingLabels(pod.labels)), [...pod.ports], pod.serviceAccount]);
  known.set(key, now);
  return before !== undefined && before !== now;
}
