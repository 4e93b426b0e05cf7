import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readReview, reviewOf } from './admission.js';

const review = (request: unknown, apiVersion = 'admission.k8s.io/v1') => Buffer.from(JSON.stringify({ apiVersion, kind: 'AdmissionReview', request }));

test('a review is read', () => {
  const object = { spec: {} };
  const request = {
    uid: 'u',
    operation: 'CREATE',
    namespace: 'shop',
    name: 'web',
    kind: { kind: 'Pod', version: 'v1', group: '' },
    dryRun: true,
    object,
    oldObject: null,
  };
  assert.deepEqual(readReview(review(request)), {
    ...{ uid: 'u', operation: 'CREATE', namespace: 'shop', name: 'web', kind: 'Pod', subResource: '', dryRun: true, object, oldObject: undefined },
  });
});

test('what is no review is told so', () => {
  const bodies: readonly (readonly [Buffer, RegExp])[] = [
    [Buffer.from(''), /no AdmissionReview/],
    [Buffer.from('{'), /no AdmissionReview/],
    [Buffer.from('[]'), /no AdmissionReview/],
    [Buffer.from('null'), /no AdmissionReview/],
    [Buffer.from('{"kind":"Pod"}'), /no AdmissionReview/],
    [review({ uid: 'u' }, 'admission.k8s.io/v1beta1'), /only admission.k8s.io\/v1 is understood/],
    [review(undefined), /no request with a uid/],
    [review({ uid: 7 }), /no request with a uid/],
  ];
  for (const [body, words] of bodies) assert.match(String(readReview(body)), words);
});

test('an answer is what the API server reads', () => {
  const patch = [{ op: 'add' as const, path: '/a', value: 'ü' }];
  const allowed = reviewOf('u', { allowed: true, patch, warnings: ['w'], auditAnnotations: { injected: '1' } });
  const base64 = Buffer.from(JSON.stringify(patch)).toString('base64');
  assert.deepEqual(allowed, {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid: 'u', allowed: true, patchType: 'JSONPatch', patch: base64, warnings: ['w'], auditAnnotations: { injected: '1' } },
  });
  const unchanged = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: 'u', allowed: true } };
  assert.deepEqual(reviewOf('u', { allowed: true, patch: [], warnings: [] }), unchanged);
  const denied = { uid: 'u', allowed: false, status: { code: 403, reason: 'Forbidden', message: 'no' } };
  assert.deepEqual(reviewOf('u', { allowed: false, message: 'no' }), { ...unchanged, response: denied });
});
