/** Who gets which Secret over ADS, and what is said to others: nothing. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { createCompiler } from '../../src/compile/compiler.js';
import { createController } from '../../src/controller.js';
import { decode } from '../../src/envoy/decode.js';
import { encode } from '../../src/envoy/encode.js';
import { may } from '../../src/identity/may.js';
import { createSecrets } from '../../src/identity/secrets.js';
import { createRegistry } from '../../src/serve/registry.js';
import { createScheduler } from '../../src/serve/scheduler.js';
import { startServer } from '../../src/serve/server.js';
import { createStore } from '../../src/sources/store.js';
import { newRoot, testAuthority } from '../support/authority.js';
import { eventually } from '../support/mesh.js';
import { bearer } from '../support/walk.js';
import { ask, connect, openDelta, openSotw } from '../support/xds-client.js';

/** A real controller whose callers are who their token says: `namespace.serviceAccount.pod`. */
async function serve(t: TestContext) {
  const errors: string[] = [];
  const ca = testAuthority(await newRoot());
  const controller = createController({ store: createStore(), compiler: createCompiler(), onDefect: (name, error) => assert.fail(`${name.name}: ${error}`) });
  const secrets = createSecrets({ ca, trustDomain: () => 'cluster.local', clock: Date.now, onError: (error) => errors.push(String(error)) });
  controller.serveSecrets(secrets);
  const denied: string[] = [];
  const server = await startServer({
    listen: 'localhost:0',
    authenticate: async (metadata) => {
      const [namespace = '', serviceAccount = '', pod = ''] = metadata.get('authorization').join().replace('Bearer ', '').split('.');
      return { id: `${namespace}/${pod}`, namespace, serviceAccount, pod, uid: pod, expiresAt: Date.now() + 60_000 };
    },
    context: {
      ...{
        scopes: controller.scopes,
        registry: createRegistry(),
        scheduler: createScheduler(),
        clock: Date.now,
        onRefusal: (_, type, words) => assert.fail(`${type} ${words}`),
      },
      classify: controller.classifyPod,
      may,
      onDenied: ({ id }, type, name) => denied.push(`${id} ${type} ${name}`),
      enter: ({ audience }) => secrets.hold(audience),
    },
  });
  const client = connect(server.port);
  t.after(async () => {
    client.close();
    await server.close();
    secrets.close();
  });
  return { client, ca, secrets, denied, errors };
}

const others = ['shop/db', 'spiffe://cluster.local/ns/shop/sa/db', 'secret:shop/db', 'Default', '*'];

/** The answer to this question comes after that to any asked before it. */
const lastQuestion = { resource_names_subscribe: ['out/nobody.shop'] };

test('a pod is given its own certificate and the roots, and another by the same names its own', async (t) => {
  const { client } = await serve(t);
  const certificates = await Promise.all(
    ['shop.web.web-1', 'shop.db.db-1'].map(async (token) => {
      const [namespace, , pod] = token.split('.');
      const sotw = openSotw(client, `${namespace}/${pod}`, bearer(token));
      sotw.request('Secret', { resource_names: ['default', 'ROOTCA'] });
      const seen = new Map<string, string>();
      while (seen.size < 2) for (const [name, content] of (await sotw.take()).versions) seen.set(name, content);
      sotw.cancel();
      return {
        leaf: new X509Certificate(Object(JSON.parse(seen.get('default') ?? '')).tls_certificate.certificate_chain.inline_string),
        roots: seen.get('ROOTCA'),
      };
    }),
  );
  assert.deepEqual(
    certificates.map(({ leaf }) => leaf.subjectAltName),
    ['URI:spiffe://cluster.local/ns/shop/sa/web', 'URI:spiffe://cluster.local/ns/shop/sa/db'],
  );
  assert.equal(certificates[0]?.roots, certificates[1]?.roots);
});

test('whoever asks for what is another’s hears nothing, in either variant, and the log hears of it once', async (t) => {
  const { client, secrets, denied } = await serve(t);
  await secrets.ensure({ namespace: 'shop', serviceAccount: 'db' });
  const delta = openDelta(client, 'shop/web-1', bearer('shop.web.web-1'));
  const initial_resource_versions = { 'shop/db': '', 'shop/cart': '' };
  delta.request('Secret', { resource_names_subscribe: others, initial_resource_versions });
  delta.request('VirtualHost', lastQuestion);
  assert.equal((await delta.take()).type, 'VirtualHost');
  const sotw = openSotw(client, 'shop/web-2', bearer('shop.web.web-2'));
  for (let times = 0; times < 3; times++) sotw.request('Secret', { resource_names: [...others] });
  sotw.request('VirtualHost', { resource_names: [] });
  sotw.request('Cluster', { resource_names: [] });
  assert.notEqual((await sotw.take()).type, 'Secret');
  const expected = ['shop/web-1', 'shop/web-2'].flatMap((pod) => others.map((name) => `${pod} Secret ${name}`));
  assert.deepEqual(denied.toSorted(), [...expected, 'shop/web-1 Secret shop/cart'].toSorted());
  delta.cancel();
  sotw.cancel();
});

test('a certificate that is not there yet is answered with silence, and sent when it is; a removal is never sent', async (t) => {
  const { client, ca, errors } = await serve(t);
  const root = ca.current();
  ca.replace({ ...root, kind: 'certificate' });
  const stream = openDelta(client, 'shop/web-1', bearer('shop.web.web-1'));
  stream.request('Secret', { resource_names_subscribe: ['default'] });
  stream.request('VirtualHost', lastQuestion);
  assert.equal((await stream.take()).type, 'VirtualHost');
  assert.match(errors.join(), /no authority/);
  ca.replace(root);
  const { type, sent, removed } = await stream.take();
  assert.deepEqual({ type, sent, removed }, { type: 'Secret', sent: ['default'], removed: [] });
  stream.cancel();
});

test('the client status service shows that there is a certificate, and nothing of it', async (t) => {
  const { client } = await serve(t);
  const token = bearer('shop.web.web-1');
  const stream = openDelta(client, 'shop/web-1', token);
  stream.request('Secret', { resource_names_subscribe: ['default', 'ROOTCA'] });
  for (let seen = 0; seen < 2; ) seen += (await stream.take()).sent.length;
  const path = '/envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus';
  const status = await eventually(async () => {
    const answer = await ask(client, path, encode('envoy.service.status.v3.ClientStatusRequest', {}), token);
    assert.ok(Buffer.isBuffer(answer));
    assert.ok(!answer.includes('PRIVATE KEY') && !answer.includes('BEGIN CERTIFICATE'));
    const [config] = decode('envoy.service.status.v3.ClientStatusResponse', answer).config ?? [];
    const rows = (config?.generic_xds_configs ?? []).filter(({ type_url }) => type_url?.endsWith('.Secret'));
    return rows.every(({ config_status }) => config_status === 'SYNCED') && rows;
  });
  assert.deepEqual(
    Object(status).map(({ name }: { readonly name: string }) => name),
    ['ROOTCA', 'default'],
  );
  stream.cancel();
});
