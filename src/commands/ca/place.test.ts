import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { newRoot } from '../../../test/support/authority.js';
import { portOf } from '../../../test/support/port.js';
import { scriptedClient } from '../../../test/support/scripted-client.js';
import { fingerprintIn } from '../../identity/pem.js';
import { clusterPlace } from './place.js';

const root = await newRoot();
const garbage = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const configMap = (namespace: string, bundle: string, labels = { 'app.kubernetes.io/managed-by': 'weft' }) => ({
  ...{ metadata: { name: 'weft-ca', namespace, labels }, data: { 'ca.crt': bundle } },
});

/** A cluster with these ConfigMaps and one replica that calls these namespaces meshed. */
async function place(t: TestContext, items: readonly object[], namespaces: readonly string[] | undefined) {
  const identities = { signer: '', roots: [], time: 0, proxies: 0, untrusting: [], unrenewed: [], sidecars: [], namespaces };
  const page = { proxies: [], rejections: [], diagnostics: [], ...(namespaces ? { identities } : {}) };
  const admin = createServer((_, response) => response.end(JSON.stringify(page))).listen(0, '127.0.0.1');
  await once(admin, 'listening');
  t.after(() => {
    admin.closeAllConnections();
    admin.close();
  });
  const client = scriptedClient({
    'GET /api/v1/configmaps': { items },
    'GET /api/v1/namespaces/weft-system/pods': { items: [{ metadata: { name: 'weft-controller-1' }, status: { phase: 'Running' } }] },
  });
  return clusterPlace({ client, namespace: 'weft-system', forward: async () => ({ port: portOf(admin), close: async () => undefined }) });
}

test('only what Weft keeps in meshed namespaces counts, and what is wrong with one of them is said of that one', async (t) => {
  const items = [
    configMap('shop', root.certificate),
    configMap('bank', garbage),
    configMap('tenant', garbage, { 'app.kubernetes.io/managed-by': 'helm' }),
    configMap('unmeshed', garbage),
  ];
  const { trust } = await (await place(t, items, ['bank', 'shop', 'tenant'])).mesh();
  assert.deepEqual(trust, [
    { namespace: 'shop', roots: [fingerprintIn(root.certificate)] },
    { namespace: 'bank', roots: [], problem: 'holds something that is no certificate' },
  ]);
});

test('while no replica tells which namespaces are meshed, all that Weft keeps count', async (t) => {
  const { trust } = await (await place(t, [configMap('shop', root.certificate), configMap('tenant', garbage, Object())], undefined)).mesh();
  assert.deepEqual(
    trust.map(({ namespace }) => namespace),
    ['shop'],
  );
});
