import assert from 'node:assert/strict';
import { test } from 'node:test';
import { follow } from '../features/field-path.js';
import { validateRoute } from './validate-webhook.js';

const spec = { targetRefs: [{ kind: 'Service', name: 'a' }], rules: [{ matches: [{ path: { type: 'RegularExpression', value: '[' } }] }] };
const bad = { apiVersion: 'weft.dev/v1alpha1', kind: 'TrafficPolicy', metadata: { name: 'a', namespace: 'shop' }, spec };

/** The response to a request about this object. */
async function ask(request: object): Promise<unknown> {
  const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { uid: '7', kind: { kind: 'TrafficPolicy' }, ...request } };
  const { status, body } = await validateRoute({ method: 'POST', headers: {}, peer: '', body: Buffer.from(JSON.stringify(review)) });
  assert.equal(status, 200);
  return follow(body, ['response']);
}

test('a bad policy is refused in words', async () => {
  const response = await ask({ operation: 'CREATE', object: bad });
  assert.deepEqual([follow(response, ['uid']), follow(response, ['allowed'])], ['7', false]);
  assert.match(String(follow(response, ['status', 'message'])), /^spec\.rules\[0\]\.matches\[0\]\.path\.value: /);
});

test('what is no policy, or only its status, or goes away, is allowed', async () => {
  const others = [
    { operation: 'UPDATE', object: bad, oldObject: bad },
    { operation: 'DELETE', oldObject: bad },
    { operation: 'UPDATE', object: bad, subResource: 'status' },
    { operation: 'CREATE', object: bad, kind: { kind: 'Mesh' } },
  ];
  for (const request of others) assert.equal(follow(await ask(request), ['allowed']), true, JSON.stringify(request));
});

test('what is no AdmissionReview is refused', async () => {
  const { status } = await validateRoute({ method: 'POST', headers: {}, peer: '', body: Buffer.from('{}') });
  assert.equal(status, 400);
});
