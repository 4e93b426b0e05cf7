/** What the SPIFFE project's own library makes of the certificates of workloads. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { CaMaterial } from '../../src/identity/authority-secret.js';
import { makeSvid } from '../../src/identity/svid.js';
import { spiffeId } from '../../src/model/spiffe.js';
import { materialOf, newRoot } from '../support/authority.js';
import { temporaryFolder } from '../support/envoy.js';
import { makeIntermediate } from '../support/openssl.js';
import { buildGo } from './go-program.js';

const hour = 3_600_000;
const identity = { namespace: 'shop', serviceAccount: 'web.v2-a' };

test('go-spiffe accepts every certificate and its bundle, and no others', { timeout: 300_000 }, async (t) => {
  const binary = await buildGo('go-spiffe');
  const folder = await temporaryFolder(t);
  const file = async (name: string, text: string) => {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const verify = async (authority: CaMaterial, options: { readonly trustDomain?: string; readonly bundle?: string; readonly expected?: string } = {}) => {
    const { trustDomain = 'cluster.local', bundle = authority.bundle } = options;
    const { certificate, key } = await makeSvid(identity, { authority, trustDomain, now: Date.now(), lifetimeMs: hour });
    const args = [options.expected ?? trustDomain, await file('chain.pem', certificate), await file('key.pem', key), await file('bundle.pem', bundle)];
    return (await promisify(execFile)(binary, args)).stdout.trim();
  };
  const [root, next] = await Promise.all([newRoot(), newRoot()]);
  const { certificate, key } = makeIntermediate(root);
  const intermediate: CaMaterial = { kind: 'authority', certificate, key, bundle: root.bundle };

  assert.equal(await verify(root), spiffeId('cluster.local', identity));
  assert.equal(await verify(root, { trustDomain: 'east.example.org' }), spiffeId('east.example.org', identity));
  assert.equal(await verify(root, { bundle: next.bundle + root.bundle }), spiffeId('cluster.local', identity), 'while the root is changed');
  assert.equal(await verify(materialOf(next, root.bundle + next.bundle)), spiffeId('cluster.local', identity));
  assert.equal(await verify(intermediate), spiffeId('cluster.local', identity));
  await assert.rejects(verify(root, { bundle: next.bundle }), /certificate signed by unknown authority/);
  await assert.rejects(verify(root, { expected: 'east.example.org' }), /no X.509 bundle found for trust domain: "cluster.local"/);
});
