import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { EventEmitter, on } from 'node:events';
import { type TestContext, test } from 'node:test';
import { materialOf, newRoot, testAuthority, validFor } from '../../test/support/authority.js';
import { canMakeCertificates } from '../../test/support/certificates.js';
import { makeIntermediate, textOf, verifyProblems } from '../../test/support/openssl.js';
import { makeResource } from '../snapshot/resource.js';
import { may } from './may.js';
import { readCertificates } from './pem.js';
import { createSecrets, type Secrets, type SecretsOptions } from './secrets.js';
import { isStale, makeSvid } from './svid.js';

const web = { namespace: 'shop', serviceAccount: 'web' };
const db = { namespace: 'shop', serviceAccount: 'db' };
const day = 24 * 60 * 60_000;

function unexpected(error: unknown): void {
  assert.fail(String(error));
}

/** Secrets by a root of their own, at a time that the test decides, in a trust domain that it can change. */
async function setUp(t: TestContext, given: Partial<SecretsOptions> = {}) {
  const root = await newRoot(validFor(365 * day));
  const ca = testAuthority(root);
  const world = { ahead: 0, trustDomain: 'example.org' };
  const secrets = createSecrets({ ca, trustDomain: () => world.trustDomain, clock: () => Date.now() + world.ahead, onError: unexpected, ...given });
  t.after(secrets.close);
  // The timers of the Secrets keep no process alive.
  const alive = setInterval(() => undefined, 1000);
  t.after(() => clearInterval(alive));
  const changes = new EventEmitter();
  const seen = on(changes, 'topics');
  secrets.onChange((topics) => changes.emit('topics', [...topics].sort()));
  const next = async (): Promise<readonly string[]> => (await seen.next()).value[0];
  return { root, ca, world, secrets, next };
}

function leafOf(secrets: Secrets, identity = web): { readonly certificate: string; readonly key: string } {
  const message = Object(secrets.get(identity, 'default'))['tls_certificate'];
  return { certificate: message.certificate_chain.inline_string, key: message.private_key.inline_string };
}

function rootsOf(secrets: Secrets): string {
  return Object(secrets.get(web, 'ROOTCA'))['validation_context'].trusted_ca.inline_string;
}

test('a certificate says who its owner is and nothing else, for a day, and openssl accepts it', {
  skip: !canMakeCertificates && 'openssl is not installed',
}, async (t) => {
  const { secrets } = await setUp(t);
  assert.equal(secrets.get(web, 'default'), undefined);
  await Promise.all([secrets.ensure(web), secrets.ensure(web)]);
  await secrets.ensure(db);
  const { certificate, key } = leafOf(secrets);
  const leaf = new X509Certificate(certificate);
  assert.equal(leaf.subjectAltName, 'URI:spiffe://example.org/ns/shop/sa/web');
  assert.equal(leaf.subject, undefined);
  assert.ok(leaf.checkPrivateKey((await import('node:crypto')).createPrivateKey(key)));
  assert.ok(Math.abs(Date.parse(leaf.validTo) - Date.now() - day) < 60_000);
  const text = textOf(certificate);
  for (const expected of [
    /NIST CURVE: P-256/,
    /CA:FALSE/,
    /Key Usage: critical\s+Digital Signature\n/,
    /TLS Web Server Authentication, TLS Web Client Authentication\n/,
  ])
    assert.match(text, expected);
  assert.match(text, /Subject Alternative Name: critical/);
  assert.equal(verifyProblems(certificate, rootsOf(secrets)), '');
  assert.match(verifyProblems(certificate, (await newRoot()).certificate), /verification failed/);
  const serials = [certificate, leafOf(secrets, db).certificate].map((pem) => new X509Certificate(pem).serialNumber);
  assert.notEqual(serials[0], serials[1]);
  for (const serial of serials) assert.match(serial, /^4[0-9A-F]{31}$/);
});

test('a brought intermediate goes with each certificate, up to the root in the bundle', {
  skip: !canMakeCertificates && 'openssl is not installed',
}, async (t) => {
  const { root, ca, secrets } = await setUp(t);
  const intermediate = makeIntermediate(root);
  ca.replace(materialOf(intermediate, root.certificate));
  await secrets.ensure(web);
  const { certificate } = leafOf(secrets);
  assert.equal(readCertificates(certificate).length, 2);
  assert.equal(verifyProblems(certificate, rootsOf(secrets)), '');
});

test('at half its life a certificate is renewed, with another key, and only those who have one are told', async (t) => {
  const { world, secrets, next } = await setUp(t);
  await secrets.ensure(web);
  assert.deepEqual(await next(), ['secret:shop/web']);
  const before = leafOf(secrets);
  world.ahead = 0.39 * day;
  secrets.touch();
  world.ahead = 0.61 * day;
  secrets.touch();
  assert.deepEqual(await next(), ['secret:shop/web']);
  assert.notEqual(leafOf(secrets).key, before.key);
  assert.equal(secrets.get(web, 'default'), secrets.get(web, 'default'));
});

test('a new signer, or another trust domain, renews all; new roots are told alone', async (t) => {
  const { root, ca, world, secrets, next } = await setUp(t);
  await secrets.ensure(web);
  await secrets.ensure(db);
  await next();
  await next();
  const second = await newRoot();
  const before = leafOf(secrets);
  ca.replace(materialOf(root, root.certificate + second.certificate));
  assert.deepEqual(await next(), ['secret:ROOTCA']);
  assert.deepEqual(leafOf(secrets), before);
  ca.replace(materialOf(second, root.certificate + second.certificate));
  assert.deepEqual(await next(), ['secret:shop/db', 'secret:shop/web']);
  assert.ok(new X509Certificate(leafOf(secrets).certificate).verify(new X509Certificate(second.certificate).publicKey));
  world.trustDomain = 'other.org';
  secrets.touch();
  assert.deepEqual(await next(), ['secret:shop/db', 'secret:shop/web']);
  assert.deepEqual(
    secrets.rows().map(({ uri }) => uri),
    ['spiffe://other.org/ns/shop/sa/web', 'spiffe://other.org/ns/shop/sa/db'],
  );
});

test('what has no stream is forgotten after a while; what has one is not', async (t) => {
  const { secrets, next } = await setUp(t, { lingerMs: 20 });
  await secrets.ensure(web);
  const release = secrets.hold(db);
  const told = [await next(), await next(), await next()].flat();
  assert.deepEqual(told.sort(), ['secret:shop/db', 'secret:shop/web', 'secret:shop/web']);
  assert.equal(secrets.get(web, 'default'), undefined);
  assert.ok(secrets.get(db, 'default'));
  release();
  assert.deepEqual(await next(), ['secret:shop/db']);
  assert.deepEqual(secrets.rows(), []);
});

test('a clock that was ahead and has come back leaves nobody with a certificate that is not good yet, or renewed late', async (t) => {
  for (const ahead of [3 * day, 0.3 * day]) {
    const { world, secrets, next } = await setUp(t);
    world.ahead = ahead;
    await secrets.ensure(web);
    await next();
    const early = new X509Certificate(leafOf(secrets).certificate);
    assert.ok(Date.parse(early.validFrom) > Date.now());
    world.ahead = 0;
    secrets.touch();
    assert.deepEqual(await next(), ['secret:shop/web']);
    const { validFrom, validTo } = new X509Certificate(leafOf(secrets).certificate);
    assert.ok(Date.parse(validFrom) <= Date.now() && Date.parse(validTo) <= Date.now() + day);
  }
  const { world, secrets, next } = await setUp(t);
  world.ahead = 3 * day;
  await secrets.ensure(web);
  await next();
  world.ahead = 0;
  await secrets.ensure(web);
  assert.ok(Date.parse(new X509Certificate(leafOf(secrets).certificate).validFrom) <= Date.now(), 'a new stream does not wait for the next look');
});

test('a certificate that would be renewed later than a new one is renewed now; one of now is left alone', async () => {
  const authority = await newRoot(validFor(365 * day));
  const common = { authority, trustDomain: 'example.org', lifetimeMs: day };
  const svid = await makeSvid(web, { ...common, now: Date.now() });
  const { notBefore } = svid;
  assert.equal(isStale(svid, { ...common, now: Date.now() }, web), false);
  assert.equal(isStale({ ...svid, renewAt: notBefore + 0.7 * day }, { ...common, now: notBefore }, web), true);
  assert.equal(isStale({ ...svid, renewAt: notBefore + 0.5 * day }, { ...common, now: notBefore }, web), false);
  assert.equal(isStale({ ...svid, renewAt: notBefore + 0.5 * day }, { ...common, now: notBefore - 1 }, web), true);
});

test('an authority that has ended issues nothing, and it is said why; what is in use stays', async (t) => {
  const errors = new EventEmitter();
  const reported = on(errors, 'one');
  const { root, world, secrets } = await setUp(t, { onError: (error) => errors.emit('one', error) });
  await secrets.ensure(web);
  const before = leafOf(secrets);
  world.ahead = Date.parse(new X509Certificate(root.certificate).validTo) - Date.now() + 1000;
  await assert.rejects(secrets.ensure(db), /the authority has ended at 20.*Z, so no certificate can be issued; renew it/);
  secrets.touch();
  assert.match(String((await reported.next()).value), /the authority has ended/);
  assert.deepEqual(leafOf(secrets), before);
});

test('an authority that cannot sign leaves the old certificate in use and is reported', async (t) => {
  const errors = new EventEmitter();
  const { ca, secrets } = await setUp(t, { onError: (error) => errors.emit('one', error) });
  await secrets.ensure(web);
  const before = leafOf(secrets);
  const reported = on(errors, 'one');
  ca.replace({ ...ca.current(), kind: 'certificate' });
  secrets.touch();
  const other = await newRoot();
  ca.replace({ ...other, kind: 'certificate' });
  const { value } = await reported.next();
  assert.match(String(value), /no authority/);
  assert.deepEqual(leafOf(secrets), before);
  await assert.rejects(secrets.ensure(db), /no authority/);
  await assert.rejects(secrets.ensure({ namespace: 'shop', serviceAccount: '../kube-system' }), /cannot be a SPIFFE id/);
});

test('a key is in the resource for its owner and nowhere else', async (t) => {
  const { secrets } = await setUp(t);
  await secrets.ensure(web);
  const message = secrets.get(web, 'default') ?? assert.fail();
  assert.ok(makeResource('Secret', 'default', message, []).any.includes('PRIVATE KEY'));
  assert.doesNotMatch(JSON.stringify([secrets.rows(), secrets.get(web, 'ROOTCA'), secrets]), /PRIVATE/);
});

test('everything that is not allowed is denied', () => {
  for (const name of ['default', 'ROOTCA']) assert.ok(may(web, 'Secret', name));
  for (const name of ['*', '', 'shop/db', 'spiffe://example.org/ns/shop/sa/db', 'Default', 'default ', '__proto__'])
    assert.equal(may(web, 'Secret', name), false, name);
  for (const name of ['default', 'ROOTCA']) assert.equal(may(undefined, 'Secret', name), false);
  for (const type of ['ExtensionConfig', 'secret', '', 'constructor', '__proto__']) assert.equal(may(web, type, 'default'), false, type);
  assert.ok(may(web, 'Cluster', '*'));
});
