import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import * as grpc from '@grpc/grpc-js';
import { fixedCertificate, type ServerCertificate } from '../../src/serve/certificate.js';
import { type Certificate, canMakeCertificates, makeCertificates } from '../support/certificates.js';
import { line } from '../support/peer.js';
import { ask, connect, openDelta } from '../support/xds-client.js';
import { startTestServer } from '../support/xds-server.js';

const health = '/grpc.health.v1.Health/Check';

async function isServed(port: number, credentials: grpc.ChannelCredentials): Promise<boolean> {
  const client = connect(port, credentials);
  const answer = await ask(client, health);
  client.close();
  return Buffer.isBuffer(answer);
}

const suffix = canMakeCertificates ? '' : ' (left out: there is no openssl command here)';

test(`TLS: whoever trusts the authority is served, plaintext and others are not; with a client authority a certificate is needed${suffix}`, async () => {
  if (!canMakeCertificates) return;
  const ours = makeCertificates(['server', 'client']);
  const theirs = makeCertificates(['client']);
  const find = ({ leaves }: typeof ours, name: string): Certificate => leaves.get(name) ?? assert.fail(name);
  const trusting = (leaf?: Certificate) =>
    grpc.credentials.createSsl(Buffer.from(ours.authority), leaf ? Buffer.from(leaf.key) : null, leaf ? Buffer.from(leaf.certificate) : null);
  const tls = await startTestServer({ tls: { certificate: fixedCertificate(find(ours, 'server')) } });
  assert.equal(await isServed(tls.port, trusting()), true);
  assert.equal(await isServed(tls.port, grpc.credentials.createInsecure()), false);
  assert.equal(await isServed(tls.port, grpc.credentials.createSsl(Buffer.from(theirs.authority))), false);
  await tls.close();
  const mutual = await startTestServer({ tls: { certificate: fixedCertificate(find(ours, 'server')), clientCa: ours.authority } });
  assert.equal(await isServed(mutual.port, trusting(find(ours, 'client'))), true);
  assert.equal(await isServed(mutual.port, trusting()), false);
  assert.equal(await isServed(mutual.port, trusting(find(theirs, 'client'))), false);
  await mutual.close();
});

test(`TLS: a renewed certificate is shown to new connections at once, and the open ones go on; TLS 1.2 is refused${suffix}`, async (t) => {
  if (!canMakeCertificates) return;
  const [before, after] = [makeCertificates(['server']), makeCertificates(['server'])];
  const pairs = [before, after].map(({ leaves }) => leaves.get('server') ?? assert.fail());
  let [current = assert.fail()] = pairs;
  const listeners = new Set<() => void>();
  const certificate: ServerCertificate = {
    current: () => current,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const server = await startTestServer({ tls: { certificate } });
  t.after(server.close);
  const trusting = ({ authority }: typeof before) => grpc.credentials.createSsl(Buffer.from(authority));
  const client = connect(server.port, trusting(before));
  t.after(async () => client.close());
  const envoy = openDelta(client);
  envoy.request('Cluster');
  await envoy.take();
  current = pairs[1] ?? assert.fail();
  for (const listener of listeners) listener();
  assert.equal(await isServed(server.port, trusting(after)), true);
  assert.equal(await isServed(server.port, trusting(before)), false);
  envoy.request('VirtualHost', { resource_names_subscribe: ['none'] });
  assert.equal(line(await envoy.take()), 'VirtualHost ?none');
  const old = connectTls({ port: server.port, host: 'localhost', ca: after.authority, ALPNProtocols: ['h2'], maxVersion: 'TLSv1.2' });
  await assert.rejects(once(old, 'secureConnect'), /protocol version/);
  await server.close();
  assert.equal(listeners.size, 0);
});
