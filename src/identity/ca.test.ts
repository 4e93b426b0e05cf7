import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, createServer } from 'node:tls';
import { canMakeCertificates } from '../../test/support/certificates.js';
import { type KubeClient, KubeError } from '../kubernetes/api.js';
import { isPlain } from '../kubernetes/plain.js';
import { authorityPair } from './authority-plan.js';
import { type CaOptions, openCa } from './ca.js';
import { readCertificates } from './pem.js';
import { begin, sign } from './rotation-plan.js';
import { type FoundSecret, readSecret, writeSecret } from './secret-store.js';
import { createServingCertificate, type ServingPair } from './serving-certificate.js';
import { issueServing, makeAuthority, type Pair } from './x509.js';

const day = 24 * 60 * 60_000;
const year = 365 * day;
const start = Date.parse('2026-01-01T00:00:00Z');

/** Nothing goes wrong in this test. */
function unexpected(error: unknown): void {
  assert.fail(String(error));
}

/** One Secret with optimistic concurrency, as the API server keeps it; test/apiserver/auth.test.ts uses the real one. */
function secretStore(initial: Readonly<Record<string, string>> = {}) {
  const encode = (texts: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]));
  let version = 1;
  let object: Readonly<Record<string, unknown>> = { kind: 'Secret', data: encode(initial) };
  const isCurrent = ({ metadata }: Readonly<Record<string, unknown>>) => isPlain(metadata) && metadata['resourceVersion'] === String(version);
  const client: KubeClient = {
    server: 'https://test',
    watch: () => Promise.reject(new Error('not watched')),
    request: async ({ method, body }) => {
      if (method === 'PUT' && isPlain(body)) {
        if (!isCurrent(body)) throw new KubeError(409, 'Conflict', 'the object has been modified');
        object = body;
        version++;
      }
      const metadata = isPlain(object['metadata']) ? object['metadata'] : {};
      return { ...object, metadata: { ...metadata, resourceVersion: String(version) } };
    },
  };
  const texts = () => {
    const data = isPlain(object['data']) ? object['data'] : {};
    return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(String(value), 'base64').toString()]));
  };
  const put = (next: Readonly<Record<string, string>>) => {
    object = { ...object, data: encode(next) };
    version++;
  };
  /** As somebody does who deletes it and makes it anew. */
  const replace = (next: Readonly<Record<string, string>>) => {
    object = { kind: 'Secret', data: encode(next) };
    version++;
  };
  return { client, texts, put, replace, versions: () => version };
}

const options = (client: KubeClient, clock: () => number, onError: CaOptions['onError'] = unexpected): CaOptions => ({
  ...{ client, clock, onError },
  ...{ namespace: 'weft-system', secret: 'weft-ca', intervalMs: day },
});

/** What a client that trusts the bundle and calls the server by this name makes of it. */
async function handshake({ certificate, key, bundle }: ServingPair, servername: string): Promise<string> {
  const server = createServer({ cert: certificate, key, minVersion: 'TLSv1.3' }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port }: Pick<AddressInfo, 'port'> = Object(server.address());
  const client = connect({ host: '127.0.0.1', port, ca: bundle, servername });
  const result = await Promise.race([once(client, 'secureConnect').then(() => 'trusted'), once(client, 'error').then(([error]) => String(error.code))]).catch(
    (error) => String(error.code),
  );
  client.destroy();
  server.close();
  return result;
}

test('the first process fills an empty Secret, and what it issues is trusted by its name alone', async (t) => {
  const { client, texts, versions } = secretStore();
  const ca = await openCa(options(client, Date.now));
  t.after(ca.close);
  const serving = await createServingCertificate({ ca, dnsNames: ['weft.test', '127.0.0.1'], clock: Date.now, onError: unexpected });
  t.after(serving.close);
  assert.equal(await handshake(serving.current(), 'weft.test'), 'trusted');
  assert.equal(await handshake(serving.current(), 'other.test'), 'ERR_TLS_CERT_ALTNAME_INVALID');
  const [leaf = assert.fail(), ...chain] = readCertificates(serving.current().certificate);
  assert.deepEqual(chain, []);
  assert.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1']);
  assert.equal(leaf.ca, false);
  assert.equal(leaf.subjectAltName, 'DNS:weft.test, IP Address:127.0.0.1');
  assert.ok(Math.abs(Date.parse(leaf.validTo) - Date.now() - day) < 60_000);
  const second = await openCa(options(client, Date.now));
  t.after(second.close);
  assert.deepEqual(second.current(), ca.current());
  assert.equal(texts()['ca.crt'], ca.current().bundle);
  assert.equal(versions(), 2);
});

test('of processes that fill a Secret at the same time one wins, and all use its authority', async (t) => {
  const { client, versions } = secretStore();
  const all = await Promise.all(Array.from({ length: 5 }, () => openCa(options(client, Date.now))));
  for (const ca of all) t.after(ca.close);
  assert.equal(new Set(all.map((ca) => ca.current().certificate)).size, 1);
  assert.equal(versions(), 2);
});

test('an authority of Weft is renewed: the next is trusted before it signs, and the old one until it expires', async (t) => {
  let now = start;
  const { client, texts } = secretStore();
  const ca = await openCa(options(client, () => now));
  t.after(ca.close);
  const first = ca.current();
  now = start + 7 * year;
  await ca.refresh();
  assert.deepEqual(ca.current(), first);
  now = start + 9 * year;
  const changed = once(changes(ca.onChange), 'change');
  await ca.refresh();
  await changed;
  assert.equal(ca.current().certificate, first.certificate);
  const [old, next = assert.fail()] = readCertificates(ca.current().bundle);
  assert.equal(old?.toString(), first.certificate);
  now += day - 1;
  await ca.refresh();
  assert.equal(ca.current().certificate, first.certificate);
  now += 1;
  await ca.refresh();
  assert.equal(ca.current().certificate, next.toString());
  assert.deepEqual(readCertificates(ca.current().bundle).map(String), [next.toString(), first.certificate]);
  assert.equal(texts()['next.key'], undefined);
  const serving = await createServingCertificate({ ca, dnsNames: ['weft.test'], clock: () => now, onError: unexpected });
  t.after(serving.close);
  assert.ok(new X509Certificate(serving.current().certificate).verify(next.publicKey));
  now = start + 17.5 * year;
  await ca.refresh();
  assert.deepEqual(readCertificates(ca.current().bundle).length, 2, 'the first has expired, the third is trusted');
  assert.equal(readCertificates(ca.current().bundle)[0]?.toString(), next.toString());
});

function changes(onChange: (listener: () => void) => () => void): EventEmitter {
  const events = new EventEmitter();
  onChange(() => void events.emit('change'));
  return events;
}

function fullSecret(pair: Pair, bundle?: string) {
  return { 'tls.crt': pair.certificate, 'tls.key': pair.key, ...(bundle === undefined ? {} : { 'ca.crt': bundle }) };
}

test('what a user brings is used as it is, followed when it changes, and never renewed nor overwritten', async (t) => {
  const own = await makeAuthority({ notBefore: start, notAfter: start + year });
  const store = secretStore(fullSecret(own));
  let now = start + 0.9 * year;
  const { told, onError } = complaints();
  const ca = await openCa(options(store.client, () => now, onError));
  t.after(ca.close);
  assert.deepEqual(ca.current(), { kind: 'authority', ...own, bundle: own.certificate });
  assert.equal(store.versions(), 1);
  const serving = await createServingCertificate({ ca, dnsNames: ['weft.test'], clock: () => now, onError: unexpected });
  t.after(serving.close);
  assert.equal(Date.parse(new X509Certificate(serving.current().certificate).validTo), now + day);
  const another = await makeAuthority({ notBefore: start, notAfter: start + 3 * year });
  store.put(fullSecret(another));
  const renewed = once(changes(serving.onChange), 'change');
  await ca.refresh();
  await renewed;
  assert.ok(new X509Certificate(serving.current().certificate).verify(new X509Certificate(another.certificate).publicKey));
  assert.equal(serving.current().bundle, another.certificate);
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', /weft-ca holds an authority that was not trusted before it signs .*calls may fail for some minutes/);
  const third = await makeAuthority({ notBefore: start, notAfter: start + 3 * year });
  store.put(fullSecret(another, another.certificate + third.certificate));
  await ca.refresh();
  store.put(fullSecret(third, another.certificate + third.certificate));
  await ca.refresh();
  assert.equal(ca.current().certificate, third.certificate);
  assert.equal(told.length, 1, 'an overlap is nothing to complain about');
  now = start + 3 * year - 1000;
  await ca.refresh();
  assert.equal(store.versions(), 4);
});

test('a serving certificate that a user brings is shown itself, if it bears the names', async (t) => {
  const validity = { notBefore: start, notAfter: start + year };
  const root = await makeAuthority(validity);
  const leaf = await issueServing(root, ['weft.test', 'weft'], validity);
  const { client } = secretStore(fullSecret(leaf, root.certificate));
  const clock = () => start + day;
  const ca = await openCa(options(client, clock));
  t.after(ca.close);
  const serving = await createServingCertificate({ ca, dnsNames: ['weft.test'], clock, onError: unexpected });
  t.after(serving.close);
  assert.deepEqual(serving.current(), { ...leaf, bundle: root.certificate });
  const other = createServingCertificate({ ca, dnsNames: ['weft', 'elsewhere.test'], clock, onError: unexpected });
  await assert.rejects(other, /not for elsewhere\.test; add that to its subject alternative names/);
});

test('a Secret that is of no use is refused in words, and left alone', async () => {
  const validity = { notBefore: start, notAfter: start + year };
  const [root, other] = [await makeAuthority(validity), await makeAuthority(validity)];
  const leaf = await issueServing(root, ['weft.test'], validity);
  const good = fullSecret(root);
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  const cases: readonly (readonly [Readonly<Record<string, string>>, RegExp, number?])[] = [
    [{ ...good, 'tls.key': '' }, /tls\.key is not the key of tls\.crt; put the PEM key of that certificate there/],
    [{ ...good, 'tls.crt': '' }, /tls\.crt holds no certificate; put a PEM certificate there/],
    [{ ...good, 'tls.crt': broken }, /tls\.crt holds a certificate that cannot be read/],
    [{ ...good, 'tls.crt': 'x' }, /tls\.crt holds no certificate/],
    [{ ...good, 'tls.key': other.key }, /tls\.key is not the key of tls\.crt/],
    [{ ...good, 'tls.key': 'x' }, /tls\.key is not the key of tls\.crt/],
    [{ ...good, 'ca.crt': broken }, /ca\.crt holds a certificate that cannot be read/],
    [{ ...good, 'ca.crt': other.certificate }, /ca\.crt holds no authority that has signed tls\.crt/],
    [fullSecret(leaf), /ca\.crt is empty; put the PEM certificate of the root there/],
    [fullSecret(leaf, other.certificate), /ca\.crt holds no authority that has signed tls\.crt/],
    [good, /tls\.crt has expired at/, start + 2 * year],
    [good, /tls\.crt is good from .* only; wait, or correct the clock/, start - day],
  ];
  for (const [texts, message, now = start + day] of cases) {
    const { client, versions } = secretStore(texts);
    await assert.rejects(
      openCa(options(client, () => now)),
      (error: Error) => message.test(error.message) && /^Secret weft-system\/weft-ca: /.test(error.message),
    );
    assert.equal(versions(), 1);
  }
  const missing: KubeClient = { ...secretStore().client, request: () => Promise.reject(new KubeError(404, 'NotFound', 'not found')) };
  await assert.rejects(openCa(options(missing, Date.now)), /Secret weft-system\/weft-ca is not there; the chart makes it/);
});

test('a Secret that is spoiled later is reported, and the last good content stays in use', async (t) => {
  const store = secretStore();
  const errors: unknown[] = [];
  const events = new EventEmitter();
  const spoiled = once(events, 'error-seen');
  const onError = (error: unknown) => {
    errors.push(error);
    events.emit('error-seen');
  };
  const ca = await openCa({ ...options(store.client, Date.now, onError), intervalMs: 10 });
  t.after(ca.close);
  const before = ca.current();
  store.put({ ...store.texts(), 'tls.key': 'x' });
  await spoiled;
  assert.match(String(errors[0]), /tls\.key is not the key/);
  assert.deepEqual(ca.current(), before);
});

/** Everything that was told, and when something is. */
function complaints() {
  const told: string[] = [];
  const events = new EventEmitter();
  const onError = (error: unknown) => {
    told.push(String(error));
    events.emit('told');
  };
  return { told, onError, next: () => once(events, 'told') };
}

test('a Secret that is emptied or made anew gets back what is in use, at any point of a rotation, and it is told', async (t) => {
  const brought = await makeAuthority({ notBefore: start - day, notAfter: start + year });
  for (const initial of [{}, fullSecret(brought)]) {
    const store = secretStore(initial);
    const { told, onError } = complaints();
    const ca = await openCa(options(store.client, () => start, onError));
    const other = await openCa(options(store.client, () => start, onError));
    t.after(ca.close);
    t.after(other.close);
    const before = ca.current();
    for (const gone of [{}, { 'tls.crt': '', 'tls.key': '\n', 'ca.crt': before.bundle }]) {
      store.replace(gone);
      await Promise.all([ca.refresh(), other.refresh()]);
      assert.deepEqual([ca.current(), other.current()], [before, before]);
      assert.equal(told.length, 1);
      assert.match(told.pop() ?? '', /Secret weft-system\/weft-ca was emptied, and the authority that is in use has been put back: .*weft ca rotate/);
    }
    const { made } = await readSecret(options(store.client, () => start));
    assert.equal(made !== undefined, !('tls.crt' in initial), 'what was brought stays a user’s');
  }

  const store = secretStore();
  const place = { client: store.client, namespace: 'weft-system', secret: 'weft-ca' };
  const ca = await openCa(options(store.client, () => start, complaints().onError));
  t.after(ca.close);
  const next = await authorityPair(start);
  for (const step of [(stored: FoundSecret) => begin(stored, next), sign]) {
    const found = await readSecret(place);
    assert.ok(await writeSecret(place, found.object, step(found)));
    await ca.refresh();
    const stored = await readSecret(place);
    store.replace({});
    await ca.refresh();
    const { texts, made, retiring } = await readSecret(place);
    assert.deepEqual({ texts, made, retiring }, { texts: stored.texts, made: stored.made, retiring: stored.retiring });
  }
});

test('an authority that has ended is not put back: an empty Secret gets a new one', async (t) => {
  let now = start;
  const own = await makeAuthority({ notBefore: start, notAfter: start + year });
  const { client, replace } = secretStore(fullSecret(own));
  const ca = await openCa(options(client, () => now, complaints().onError));
  t.after(ca.close);
  now = start + year;
  replace({});
  await ca.refresh();
  assert.notEqual(ca.current().certificate, own.certificate);
});

test('an empty Secret where there has been an authority waits for whoever still knows it, and not for ever', async (t) => {
  const store = secretStore();
  const { told, onError, next } = complaints();
  const knowing = await openCa(options(store.client, Date.now, onError));
  t.after(knowing.close);
  store.replace({});
  const asked = next();
  const opening = openCa({ ...options(store.client, Date.now, onError), hasBeen: async () => true });
  await asked;
  assert.match(told[0] ?? '', /Secret weft-system\/weft-ca is empty, and there has been an authority: waiting \d+ s for a replica that still knows it/);
  await knowing.refresh();
  const opened = await opening;
  t.after(opened.close);
  assert.deepEqual(opened.current(), knowing.current());

  const nobody = secretStore();
  const alone = await openCa({ ...options(nobody.client, Date.now, onError), hasBeen: async () => true, intervalMs: 40 });
  t.after(alone.close);
  assert.equal(nobody.versions(), 2);
});

test('a root is dated back by a day, so that no clock of the mesh takes it for not good yet', async (t) => {
  const { client } = secretStore();
  const ca = await openCa(options(client, () => start));
  t.after(ca.close);
  const { validFrom } = new X509Certificate(ca.current().certificate);
  assert.equal(Date.parse(validFrom), start - day);
  const behind = await openCa(options(client, () => start - day + 1000));
  t.after(behind.close);
});

test('a serving certificate is renewed at half its life', { timeout: 20_000 }, async (t) => {
  const { client } = secretStore();
  const ca = await openCa(options(client, Date.now));
  t.after(ca.close);
  const serving = await createServingCertificate({ ca, dnsNames: ['weft.test'], clock: Date.now, onError: unexpected, lifetimeMs: 3000 });
  t.after(serving.close);
  const first = new X509Certificate(serving.current().certificate);
  await once(changes(serving.onChange), 'change');
  const second = new X509Certificate(serving.current().certificate);
  assert.notEqual(second.serialNumber, first.serialNumber);
  assert.ok(Date.now() < Date.parse(first.validTo), 'the first was still good');
});

test(`authorities with other kinds of keys can sign${canMakeCertificates ? '' : ' (left out: there is no openssl command here)'}`, async (t) => {
  if (!canMakeCertificates) return;
  const folder = await mkdtemp(join(tmpdir(), 'weft-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [crt, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  const kinds = [['rsa:2048'], ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'], ['ed25519']];
  const outcomes = [];
  for (const kind of kinds) {
    execFileSync('openssl', ['req', '-x509', '-newkey', ...kind, '-nodes', '-keyout', key, '-out', crt, '-subj', '/O=Shop, Inc./CN=root', '-days', '2'], {
      stdio: 'pipe',
    });
    const { client } = secretStore({ 'tls.crt': await readFile(crt, 'utf8'), 'tls.key': await readFile(key, 'utf8') });
    const ca = await openCa(options(client, Date.now));
    t.after(ca.close);
    const serving = createServingCertificate({ ca, dnsNames: ['weft.test'], clock: Date.now, onError: unexpected });
    outcomes.push(
      await serving.then(
        (made) => handshake(made.current(), 'weft.test').finally(made.close),
        (error: Error) => error.message,
      ),
    );
  }
  assert.deepEqual(outcomes, ['trusted', 'trusted', 'the key of the authority is of the kind ed25519; use ECDSA (P-256, P-384, P-521) or RSA']);
});
