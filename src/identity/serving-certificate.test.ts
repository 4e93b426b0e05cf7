import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { newRoot, testAuthority } from '../../test/support/authority.js';
import { createServingCertificate } from './serving-certificate.js';

const day = 24 * 60 * 60_000;
const year = 365 * day;
const start = Date.parse('2026-01-01T00:00:00Z');
const onError = (error: unknown) => assert.fail(String(error));

test('a serving certificate is renewed when a clock that was ahead has come back, and none is issued by an authority that has ended', {
  timeout: 20_000,
}, async (t) => {
  const root = await newRoot({ notBefore: start - year, notAfter: start + year });
  const ca = testAuthority(root);
  let now = start + 3 * day;
  const serving = await createServingCertificate({ ca, dnsNames: ['weft.test'], clock: () => now, onError, lifetimeMs: 1000 });
  t.after(serving.close);
  const renewed = new Promise<void>((resolve) => void serving.onChange(resolve));
  now = start;
  await renewed;
  assert.ok(Date.parse(new X509Certificate(serving.current().certificate).validFrom) <= start);
  now = start + year;
  const late = createServingCertificate({ ca, dnsNames: ['weft.test'], clock: () => now, onError });
  await assert.rejects(late, /the authority has ended at 2027-01-01T00:00:00Z, so no certificate can be issued/);
});
