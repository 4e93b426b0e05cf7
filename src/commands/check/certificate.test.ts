import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeAuthority } from '../../identity/x509.js';
import { validity } from './certificate.js';

const day = 86_400_000;
const start = Date.parse('2030-01-01T00:00:00Z');
const good = (await makeAuthority({ notBefore: start, notAfter: start + 100 * day })).certificate;
const short = (await makeAuthority({ notBefore: start, notAfter: start + 20 * day })).certificate;

const cases: readonly { readonly what: string; readonly pem: string; readonly at: number; readonly state: string }[] = [
  { what: 'no certificate', pem: 'nothing', at: start, state: 'none' },
  { what: 'one that cannot be read', pem: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', at: start, state: 'broken' },
  { what: 'a good one', pem: good, at: start + day, state: 'valid' },
  { what: 'one of the future', pem: good, at: start - 2 * day, state: 'early' },
  { what: 'one that expires within a week', pem: good, at: start + 95 * day, state: 'soon' },
  { what: 'one that has expired', pem: good, at: start + 100 * day, state: 'expired' },
  { what: 'two, of which one is about to expire', pem: good + short, at: start + 15 * day, state: 'soon' },
];

for (const { what, pem, at, state } of cases) test(`${what} is ${state}`, () => assert.equal(validity(pem, at).state, state));

test('the message tells when it ends', () => assert.equal(validity(good, start).message, 'an authority valid until 2030-04-11T00:00:00.000Z'));
