import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodSubject } from '../../identity/subject.js';
import type { Pod } from '../../model/workload.js';
import { createPodStreams } from './pod-streams.js';

const db: Pod = {
  ...{ key: 'shop/db-1', namespace: 'shop', name: 'db-1', addresses: ['10.0.0.9'], labels: { app: 'db', role: 'replica' }, serviceAccount: 'db', node: 'a' },
  ...{ ports: new Map([['sql', 5432]]), uid: '1', created: '', hostNetwork: false, proxy: 'Injected' },
};
const subject: PodSubject = { id: 'shop/db-1', namespace: 'shop', serviceAccount: 'db', pod: 'db-1', uid: '1', expiresAt: 0 };

/** What the streams of `shop/db-1` are told, change after change. */
function told(...pods: readonly (Pod | undefined)[]): readonly string[] {
  const reasons: string[] = [];
  const endStreamsOf = (isMeant: (subject: PodSubject) => boolean, reason: string) => void (isMeant(subject) && reasons.push(reason));
  const onChange = createPodStreams({ endStreamsOf });
  for (const object of pods) onChange([{ kind: 'Pod', key: 'shop/db-1', object }]);
  return reasons;
}

test('a pod that is the same, or differs in nothing that its workload shares, keeps its streams', () => {
  assert.deepEqual(told(db, { ...db }, { ...db, node: 'b' }, { ...db, labels: { ...db.labels, 'pod-template-hash': 'x' } }), []);
});

test('a pod with other labels, or other ports, begins anew', () => {
  assert.match(told(db, { ...db, labels: { app: 'db', role: 'primary' } }).join(), /labels or ports/);
  assert.match(told(db, { ...db, ports: new Map([['sql', 5433]]) }).join(), /labels or ports/);
});

test('so does one that is gone, or has been replaced', () => {
  assert.match(told(db, undefined).join(), /gone/);
  assert.match(told(db, { ...db, uid: '2' }).join(), /gone/);
});
