import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { type Certificate, canMakeCertificates, makeCertificates } from '../support/certificates.js';
import { ask, connect } from '../support/xds-client.js';
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
  const tls = await startTestServer({ tls: find(ours, 'server') });
  assert.equal(await isServed(tls.port, trusting()), true);
  assert.equal(await isServed(tls.port, grpc.credentials.createInsecure()), false);
  assert.equal(await isServed(tls.port, grpc.credentials.createSsl(Buffer.from(theirs.authority))), false);
  await tls.close();
  const mutual = await startTestServer({ tls: { ...find(ours, 'server'), clientCa: ours.authority } });
  assert.equal(await isServed(mutual.port, trusting(find(ours, 'client'))), true);
  assert.equal(await isServed(mutual.port, trusting()), false);
  assert.equal(await isServed(mutual.port, trusting(find(theirs, 'client'))), false);
  await mutual.close();
});
