import assert from 'node:assert/strict';
import { test } from 'node:test';
import { materialOf, newRoot } from '../../test/support/authority.js';
import { canMakeCertificates } from '../../test/support/certificates.js';
import { makeIntermediate } from '../../test/support/openssl.js';
import { expiryOf, noticeOf } from './expiry.js';
import { readCertificates, validityOf } from './pem.js';
import { issueServing } from './x509.js';

const day = 24 * 60 * 60_000;
const ending = (days: number) => newRoot({ notBefore: Date.now() - 60_000, notAfter: Date.now() + days * day });

test('it is told 30, 7 and 1 days ahead and when it is over, each in the same words as long as it lasts', () => {
  const expiry = { role: 'root' as const, subject: 'CN=mesh', notAfter: Date.parse('2027-01-31T00:00:00Z') };
  const at = (left: number) => noticeOf(expiry, 'Secret weft-system/weft-ca', expiry.notAfter - left * day);
  const days = [31, 30.001, 30, 8, 7, 1.1, 1, 0.01, 0, -3].map((left) => at(left)?.days);
  assert.deepEqual(days, [undefined, undefined, 30, 30, 7, 7, 1, 1, 0, 0]);
  assert.equal(at(29)?.message, at(8)?.message);
  assert.equal(
    at(6)?.message,
    'the root certificate CN=mesh in Secret weft-system/weft-ca ends at 2027-01-31T00:00:00Z, within 7 days; renew it (weft ca status, docs/certificates.md)',
  );
  assert.match(at(0)?.message ?? '', /has ended at 2027-01-31/);
});

test('a root that is trusted only for what is to come, or was, does not count', async () => {
  const [current, other] = await Promise.all([ending(300), ending(3)]);
  const expiry = expiryOf(materialOf(current, current.bundle + other.bundle));
  assert.equal(expiry?.role, 'root');
  assert.equal(expiry?.notAfter, endOf(current.certificate));
});

test('an intermediate counts, and so does the root above it', { skip: !canMakeCertificates && 'openssl is not installed' }, async () => {
  const root = await ending(300);
  const below = makeIntermediate(root);
  const expiry = expiryOf(materialOf(below, root.certificate));
  assert.deepEqual([expiry?.role, expiry?.notAfter], ['intermediate', endOf(below.certificate)]);
  const short = await ending(0.5);
  const chained = makeIntermediate(short);
  assert.equal(expiryOf(materialOf(chained, short.certificate))?.role, 'root');
});

test('the own certificate of a server does not count, its root does', async () => {
  const root = await ending(300);
  const serving = await issueServing(root, ['weft'], { notBefore: Date.now() - 1000, notAfter: Date.now() + day });
  assert.equal(expiryOf({ ...serving, kind: 'certificate', bundle: root.certificate })?.notAfter, endOf(root.certificate));
});

function endOf(certificate: string): number {
  const [first] = readCertificates(certificate);
  return first ? validityOf(first).notAfter : 0;
}
