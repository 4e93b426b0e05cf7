/** Changing the root in a real Secret, with no more rights than docs/certificates.md asks for, while a real authority follows it. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { clusterPlace } from '../../src/commands/ca/place.js';
import { type Progress, rotate } from '../../src/commands/ca/rotate.js';
import { authorityStatus, formatAuthority, isTroubled } from '../../src/commands/ca/status.js';
import { identitySide } from '../../src/commands/serve/identity-side.js';
import { authorityPair } from '../../src/identity/authority-plan.js';
import { type Ca, openCa } from '../../src/identity/ca.js';
import { fingerprintIn, readCertificates } from '../../src/identity/pem.js';
import { publishTrust } from '../../src/identity/trust-config-maps.js';
import { createRegistry } from '../../src/serve/registry.js';
import { type Apiserver, startApiserver } from '../support/apiserver.js';
import { portOf } from '../support/port.js';

const secret = '/api/v1/namespaces/weft-system/secrets/weft-ca';

/** As docs/certificates.md lists them; the port-forward itself is no part of this test. */
const rules = {
  'weft-system': [
    { apiGroups: [''], resources: ['secrets'], resourceNames: ['weft-ca'], verbs: ['get', 'update'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
  ],
  everywhere: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: ['weft-ca'], verbs: ['list'] }],
};

async function prepare(t: TestContext) {
  const apiserver = await startApiserver(t);
  const { client } = apiserver;
  for (const name of ['weft-system', 'shop', 'tenant', 'unmeshed']) await apiserver.namespace(name);
  const post = (path: string, body: object) => client.request({ method: 'POST', path, body });
  await post('/api/v1/namespaces/weft-system/secrets', { metadata: { name: 'weft-ca' } });
  // Neither is for Weft to keep, so neither may stop a rotation.
  const data = { 'ca.crt': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' };
  const labels = { 'app.kubernetes.io/managed-by': 'weft' };
  await post('/api/v1/namespaces/tenant/configmaps', { metadata: { name: 'weft-ca' }, data });
  await post('/api/v1/namespaces/unmeshed/configmaps', { metadata: { name: 'weft-ca', labels }, data });
  const group = 'rbac.authorization.k8s.io';
  const subjects = [{ apiGroup: group, kind: 'User', name: 'operator' }];
  const bind = async (scope: string, kind: string, own: readonly object[]) => {
    await post(`/apis/${group}/v1/${scope}${kind.toLowerCase()}s`, { metadata: { name: 'operator' }, rules: own });
    const roleRef = { apiGroup: group, kind, name: 'operator' };
    await post(`/apis/${group}/v1/${scope}${kind.toLowerCase()}bindings`, { metadata: { name: 'operator' }, roleRef, subjects });
  };
  await bind('namespaces/weft-system/', 'Role', rules['weft-system']);
  await bind('', 'ClusterRole', rules.everywhere);
  const component = { 'app.kubernetes.io/name': 'weft', 'app.kubernetes.io/component': 'controller' };
  const pods = '/api/v1/namespaces/weft-system/pods';
  await post(pods, { metadata: { name: 'weft-controller-1', labels: component }, spec: { containers: [{ name: 'weft', image: 'weft' }] } });
  await client.request({ method: 'PATCH', path: `${pods}/weft-controller-1/status`, patch: 'merge', body: { status: { phase: 'Running' } } });
  return apiserver;
}

/** A replica that follows the Secret, hands its roots out, and says so on an admin port. */
async function startReplica(t: TestContext, { client }: Apiserver) {
  const errors: string[] = [];
  const onError = (error: unknown) => void errors.push(String(error));
  const ca = await openCa({ client, namespace: 'weft-system', secret: 'weft-ca', clock: Date.now, onError, intervalMs: 20 });
  const publish = () => publishTrust({ client, data: { 'ca.crt': ca.current().bundle }, namespaces: ['shop'] });
  await publish();
  ca.onChange(() => void publish().catch(onError));
  const store = { pods: () => [], namespaces: () => [{ name: 'shop', labels: { 'weft.dev/inject': 'true' }, injectSince: '' }] };
  const identities = () => identitySide({ ca, secrets: { issuerOf: () => undefined }, registry: createRegistry(), store, clock: Date.now });
  const page = () => JSON.stringify({ proxies: [], rejections: [], diagnostics: [], identities: identities() });
  const admin = createServer((_, response) => response.setHeader('content-type', 'application/json').end(page())).listen(0, '127.0.0.1');
  t.after(async () => {
    ca.close();
    admin.closeAllConnections();
    admin.close();
  });
  return { ca, errors, port: () => portOf(admin) };
}

test('one command changes the root in the Secret, and in the ConfigMaps that sidecars trust; what others write is left alone', async (t) => {
  const apiserver = await prepare(t);
  const { ca, errors, port } = await startReplica(t, apiserver);
  const client = await apiserver.clientAs({ user: 'operator' });
  const place = clusterPlace({ client, namespace: 'weft-system', forward: async () => ({ port: port(), close: async () => undefined }) });
  const before = fingerprintIn(ca.current().certificate);
  const bundles = historyOf(ca);
  const told: Progress[] = [];
  const common = { place, makeNext: () => authorityPair(Date.now()), timeoutMs: 60_000, skipAbsent: false, skip: [], intervalMs: 20, now: Date.now };
  await rotate({ ...common, settleMs: 100, tell: (progress) => told.push(progress) });
  assert.deepEqual(
    told.map(({ step }) => step).filter((step) => step !== 'Wait'),
    ['Begin', 'Sign', 'Drop', 'Done'],
  );
  await ca.refresh();
  const after = fingerprintIn(ca.current().certificate);
  assert.notEqual(after, before);
  assert.deepEqual(readCertificates(ca.current().bundle).length, 1);
  assert.deepEqual(
    bundles.map(({ roots, signer }) => [roots, signer === before ? 'old' : 'new']),
    [
      [2, 'old'],
      [2, 'new'],
      [1, 'new'],
    ],
  );
  const status = await authorityStatus(place);
  assert.equal(isTroubled(status, Date.now()), false);
  assert.match(formatAuthority(status), /No rotation is under way/);
  assert.match(formatAuthority(status), new RegExp(`^signs +${after.slice(0, 16)}`, 'm'));
  assert.deepEqual(errors, []);

  const annotations = { 'cert-manager.io/certificate-name': 'mesh-root' };
  await apiserver.client.request({ method: 'PATCH', path: secret, patch: 'merge', body: { metadata: { annotations } } });
  await assert.rejects(rotate({ ...common, settleMs: 0, tell: () => undefined }), /cert-manager writes it for the Certificate mesh-root; renew it there/);
  assert.match(formatAuthority(await authorityStatus(place)), /leaves it alone: cert-manager/);
});

function historyOf(ca: Ca) {
  const seen: { readonly roots: number; readonly signer: string }[] = [];
  ca.onChange(() => {
    const { bundle, certificate } = ca.current();
    seen.push({ roots: readCertificates(bundle).length, signer: fingerprintIn(certificate) });
  });
  return seen;
}
