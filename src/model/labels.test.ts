import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filingOf, filingsOf, selectsReplicas, sharedLabels } from './labels.js';

const replica = { app: 'db', 'statefulset.kubernetes.io/pod-name': 'db-0', 'controller-revision-hash': 'x' };

test('labels that tell replicas apart do not tell workloads apart', () => {
  assert.deepEqual(sharedLabels(replica), { app: 'db' });
  assert.ok(selectsReplicas({ app: 'db', 'statefulset.kubernetes.io/pod-name': 'db-0' }, sharedLabels(replica)));
});

test('a selector that names no workload selects none, whatever else there is in its namespace', () => {
  for (const selector of [{}, { 'statefulset.kubernetes.io/pod-name': 'db-0' }, { 'job-name': 'once' }]) {
    assert.equal(selectsReplicas(selector, { app: 'web' }), false);
    assert.equal(filingOf('shop', selector), undefined);
  }
});

test('a Service is found under one of the labels of every workload that it selects', () => {
  for (const selector of [{ app: 'db' }, { app: 'db', tier: 'b' }, { tier: 'b' }]) {
    const filing = filingOf('shop', selector);
    assert.ok(filing && filingsOf('shop', { app: 'db', tier: 'b' }).includes(filing));
  }
});
