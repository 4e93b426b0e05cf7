import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filingOf, filingsOf, lastingLabels, selectsLasting, sharedLabels } from './labels.js';

const replica = { app: 'db', 'statefulset.kubernetes.io/pod-name': 'db-0', 'controller-revision-hash': 'x' };

test('labels that tell replicas apart do not tell workloads apart', () => {
  assert.deepEqual(sharedLabels(replica), { app: 'db' });
});

test('a Service may be for one replica of a StatefulSet, and is for all revisions', () => {
  const lasting = lastingLabels(replica);
  assert.deepEqual(lasting, { app: 'db', 'statefulset.kubernetes.io/pod-name': 'db-0' });
  const toReplica = (name: string) => ({ app: 'db', 'statefulset.kubernetes.io/pod-name': name });
  assert.ok(selectsLasting(toReplica('db-0'), lasting));
  assert.ok(selectsLasting({ 'statefulset.kubernetes.io/pod-name': 'db-0' }, lasting));
  assert.ok(!selectsLasting(toReplica('db-1'), lasting));
  assert.ok(selectsLasting({ app: 'db', 'controller-revision-hash': 'y' }, lasting));
});

test('a selector that names no workload selects none, whatever else there is in its namespace', () => {
  for (const selector of [{}, { 'pod-template-hash': 'x' }, { 'job-name': 'once' }]) {
    assert.equal(selectsLasting(selector, { app: 'web' }), false);
    assert.equal(filingOf('shop', selector), undefined);
  }
});

test('a Service is found under one of the labels of every workload that it selects', () => {
  for (const selector of [{ app: 'db' }, { app: 'db', tier: 'b' }, { tier: 'b' }]) {
    const filing = filingOf('shop', selector);
    assert.ok(filing && filingsOf('shop', { app: 'db', tier: 'b' }).includes(filing));
  }
});
