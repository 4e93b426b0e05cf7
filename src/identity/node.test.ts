import assert from 'node:assert/strict';
import { test } from 'node:test';
import { provenClaims } from './node.js';

const subject = { id: 'shop/web-1', namespace: 'shop', pod: 'web-1', uid: 'u1', serviceAccount: 'web', expiresAt: 0 };
const facts = { labels: { app: 'web' }, zone: 'z1' };

test('of a node that has proved to be a pod, only the kind of client is believed', () => {
  const metadata = { namespace: 'bank', pod: 'vault', serviceAccount: 'admin', labels: { app: 'vault' }, client: 'explicit', explicitPort: 15_002 };
  const claims = provenClaims({ id: 'shop/web-1', metadata, locality: { zone: 'z9' } }, subject, facts);
  const expected = { namespace: 'shop', pod: 'shop/web-1', serviceAccount: 'web', ...facts, client: 'explicit', explicitPort: 15_002 };
  assert.deepEqual(claims, expected);
});

test("a node that says to be somebody else's, or nobody's, is refused", () => {
  for (const id of [undefined, '', 'shop/web-2', 'bank/web-1', 'web-1', 'shop/web-1/x', 'x'.repeat(10_000)]) {
    const refusal = provenClaims({ id }, subject, facts);
    assert.ok('refused' in refusal && refusal.refused === 'PERMISSION_DENIED', id);
    assert.match(refusal.reason, /the token is of the pod shop\/web-1/);
  }
});
