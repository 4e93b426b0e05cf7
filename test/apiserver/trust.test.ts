/** The authority in its Secret, the trust that is handed out in ConfigMaps, and the caBundle of webhooks, on a real API server with no more rights than the chart gives. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { isDeepStrictEqual, promisify } from 'node:util';
import { openCa } from '../../src/identity/ca.js';
import { hasCaBundle, keepCaBundle, setCaBundle } from '../../src/identity/ca-bundle.js';
import { isTrustPublished, publishedTrust, publishTrust } from '../../src/identity/trust-config-maps.js';
import type { KubeClient } from '../../src/kubernetes/api.js';
import { isPlain, textOf } from '../../src/kubernetes/plain.js';
import { startApiserver } from '../support/apiserver.js';
import { eventually } from '../support/mesh.js';

const controller = 'system:serviceaccount:weft-system:weft-controller';
const webhooks = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const secret = '/api/v1/namespaces/weft-system/secrets/weft-ca';

const rules = [
  { apiGroups: [''], resources: ['secrets'], resourceNames: ['weft-ca'], verbs: ['get', 'update'] },
  { apiGroups: [''], resources: ['configmaps'], resourceNames: ['weft-ca'], verbs: ['list', 'update', 'delete'] },
  { apiGroups: [''], resources: ['configmaps'], verbs: ['create'] },
  { apiGroups: ['admissionregistration.k8s.io'], resources: ['validatingwebhookconfigurations'], resourceNames: ['weft-controller'], verbs: ['get', 'patch'] },
];

const webhook = (name: string) => ({
  name,
  clientConfig: { service: { name: 'weft-controller', namespace: 'weft-system', path: '/validate' } },
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  failurePolicy: 'Ignore',
});

async function prepare(t: TestContext) {
  const apiserver = await startApiserver(t);
  const { client: admin } = apiserver;
  await apiserver.namespace('weft-system');
  const post = (path: string, body: object) => admin.request({ method: 'POST', path, body });
  const group = 'rbac.authorization.k8s.io';
  await post(`/apis/${group}/v1/clusterroles`, { metadata: { name: 'controller' }, rules });
  const roleRef = { apiGroup: group, kind: 'ClusterRole', name: 'controller' };
  const subjects = [{ apiGroup: group, kind: 'User', name: controller }];
  await post(`/apis/${group}/v1/clusterrolebindings`, { metadata: { name: 'controller' }, roleRef, subjects });
  const kubeconfig = await apiserver.kubeconfigAs({ user: controller });
  return { apiserver, admin, post, kubeconfig, client: await apiserver.clientAs({ user: controller }) };
}

const get = (client: KubeClient, path: string) => client.request({ method: 'GET', path });

function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((found, key) => (typeof found === 'object' && found !== null ? Reflect.get(found, key) : undefined), value);
}

/** What a process of Weft does first. */
const opener = `
  const [ca, connect, kubeconfig] = process.argv.slice(1);
  const { openCa } = await import(ca);
  const client = (await import(connect)).connect({ kubeconfig });
  const opened = await openCa({ client, namespace: 'weft-system', secret: 'weft-ca', clock: Date.now, onError: console.error });
  process.stdout.write(JSON.stringify(opened.current().bundle));
  opened.close();
`;

test('of processes that start at the same time over an empty Secret, all have the same authority, which is in the Secret', async (t) => {
  const { post, admin, kubeconfig } = await prepare(t);
  const moduleOf = (path: string) => new URL(`../../src/${path}.js`, import.meta.url).href;
  const open = async () => {
    const args = ['--input-type=module', '-e', opener, moduleOf('identity/ca'), moduleOf('kubernetes/connect'), kubeconfig];
    return String(JSON.parse((await promisify(execFile)(process.execPath, args)).stdout));
  };
  await assert.rejects(open(), /Secret weft-system\/weft-ca is not there/);
  await post('/api/v1/namespaces/weft-system/secrets', { metadata: { name: 'weft-ca', labels: { 'the-chart': 'has-made-it' } } });
  const bundles = await Promise.all([open(), open(), open()]);
  const kept = await get(admin, secret);
  assert.deepEqual([...new Set(bundles)], [Buffer.from(String(at(kept, 'data', 'ca.crt')), 'base64').toString()]);
  assert.equal(at(kept, 'metadata', 'labels', 'the-chart'), 'has-made-it');
});

test('a Secret that is deleted and made anew has the authority in use again; who comes between waits for that', async (t) => {
  const { apiserver, admin, post, client } = await prepare(t);
  await apiserver.namespace('shop');
  await post('/api/v1/namespaces/weft-system/secrets', { metadata: { name: 'weft-ca' } });
  const told: string[] = [];
  const waiting = new EventEmitter();
  const onError = (error: unknown) => {
    told.push(String(error));
    waiting.emit('told');
  };
  const hasBeen = () => isTrustPublished(client);
  const open = () => openCa({ client, namespace: 'weft-system', secret: 'weft-ca', clock: Date.now, intervalMs: 60_000, onError, hasBeen });
  const knowing = await open();
  t.after(knowing.close);
  await publishTrust({ client, data: { 'ca.crt': knowing.current().bundle }, namespaces: ['shop'] });
  const before = at(await get(admin, secret), 'data');
  await admin.request({ method: 'DELETE', path: secret });
  await assert.rejects(knowing.refresh(), /Secret weft-system\/weft-ca is not there/);
  await post('/api/v1/namespaces/weft-system/secrets', { metadata: { name: 'weft-ca' } });
  const asked = once(waiting, 'told');
  const opening = open();
  await asked;
  await knowing.refresh();
  const late = await opening;
  t.after(late.close);
  assert.deepEqual(at(await get(admin, secret), 'data'), before);
  assert.deepEqual(late.current(), knowing.current());
  assert.match(told.join('\n'), /waiting \d+ s for a replica that still knows it\n.*was emptied, and the authority that is in use has been put back/);
});

test('the trust is in the namespaces that want it and in no other, and goes away with its owner', async (t) => {
  const { apiserver, admin, post, client } = await prepare(t);
  for (const name of ['shop', 'bank', 'going', 'theirs']) await apiserver.namespace(name);
  await post(webhooks, { metadata: { name: 'weft-controller' }, webhooks: [webhook('a.weft.dev')] });
  await post('/api/v1/namespaces/theirs/configmaps', { metadata: { name: 'weft-ca' }, data: { mine: 'x' } });
  await post('/api/v1/namespaces/bank/configmaps', { metadata: { name: 'other' }, data: { mine: 'x' } });
  await admin.request({ method: 'DELETE', path: '/api/v1/namespaces/going' });
  const data = { 'ca.crt': 'PEM', 'token.json': '{}' };
  const publish = (namespaces: readonly string[], content: Readonly<Record<string, string>> = data) => publishTrust({ client, data: content, namespaces });
  const path = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps/weft-ca`;

  assert.equal(await isTrustPublished(client), false);
  const first = await publish(['shop', 'bank', 'going', 'gone', 'theirs']);
  assert.deepEqual([...first.written].sort(), ['bank', 'shop']);
  assert.deepEqual(
    first.failed.map(({ namespace }) => namespace),
    ['theirs'],
  );
  assert.match(first.failed[0]?.error ?? '', /ConfigMap theirs\/weft-ca is there and not of Weft/);
  assert.equal(await isTrustPublished(client), true);
  const noCertificates = (namespace: string) => ({ namespace, roots: [] });
  assert.deepEqual(await publishedTrust(client), [noCertificates('bank'), noCertificates('shop')]);
  const made = await get(admin, path('shop'));
  assert.deepEqual(at(made, 'data'), data);
  const owner = at(await get(admin, `${webhooks}/weft-controller`), 'metadata', 'uid');
  const expected = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration', name: 'weft-controller', uid: owner };
  assert.deepEqual(at(made, 'metadata', 'ownerReferences'), [expected]);

  assert.deepEqual(await publish(['shop', 'bank']), { written: [], removed: [], failed: [] });
  assert.equal(at(await get(admin, path('shop')), 'metadata', 'resourceVersion'), at(made, 'metadata', 'resourceVersion'));

  await admin.request({ method: 'PATCH', path: path('bank'), patch: 'merge', body: { data: { 'ca.crt': 'somebody else' } } });
  assert.deepEqual(await publish(['shop', 'bank']), { written: ['bank'], removed: [], failed: [] });
  assert.deepEqual(at(await get(admin, path('bank')), 'data'), data);

  assert.deepEqual(await publish(['shop'], { 'ca.crt': 'NEW' }), { written: ['shop'], removed: ['bank'], failed: [] });
  assert.deepEqual(at(await get(admin, path('shop')), 'data'), { 'ca.crt': 'NEW' });
  await assert.rejects(get(admin, path('bank')), { status: 404 });
  assert.deepEqual(at(await get(admin, path('theirs')), 'data'), { mine: 'x' });
  assert.deepEqual(at(await get(admin, '/api/v1/namespaces/bank/configmaps/other'), 'data'), { mine: 'x' });

  await admin.request({ method: 'DELETE', path: `${webhooks}/weft-controller` });
  assert.deepEqual(await publish(['shop'], { 'ca.crt': 'NEW' }), { written: ['shop'], removed: [], failed: [] });
  assert.equal(at(await get(admin, path('shop')), 'metadata', 'ownerReferences'), undefined);
});

test('the caBundle of every webhook of a configuration is kept, whatever happens to the object', { timeout: 60_000 }, async (t) => {
  const { admin, post, client } = await prepare(t);
  let bundle = 'one';
  const options = { client, resource: 'validatingwebhookconfigurations', name: 'weft-controller', bundle: () => pem(bundle) } as const;
  await assert.rejects(setCaBundle(options), { status: 404 });
  assert.equal(await hasCaBundle(options), false);
  const chart = { metadata: { name: 'weft-controller' }, webhooks: [webhook('a.weft.dev'), webhook('b.weft.dev')] };
  await post(webhooks, chart);
  const bundles = async () => {
    const list = at(await get(admin, `${webhooks}/weft-controller`).catch(() => undefined), 'webhooks');
    return Array.isArray(list) ? list.map((one) => textOf(isPlain(one) ? one['clientConfig'] : undefined, 'caBundle')) : [];
  };
  const encoded = () => Buffer.from(pem(bundle)).toString('base64');
  assert.equal(await hasCaBundle(options), false);
  assert.equal(await setCaBundle(options), true);
  assert.equal(await hasCaBundle(options), true);
  assert.deepEqual(await bundles(), [encoded(), encoded()]);
  assert.equal(await setCaBundle(options), false);

  const events = new EventEmitter();
  const onChange = (listener: () => void) => {
    events.on('change', listener);
    return () => void events.off('change', listener);
  };
  const keeping = { ...options, onChange, onError: (error: unknown) => void events.emit('failed', error) };
  const isKept = () => eventually(async () => isDeepStrictEqual(await bundles(), [encoded(), encoded()]));
  const stopSlow = keepCaBundle({ ...keeping, intervalMs: 3_600_000 });
  bundle = 'two';
  events.emit('change');
  await isKept();
  stopSlow();

  t.after(keepCaBundle({ ...keeping, intervalMs: 50, retryMs: 50 }));
  await admin.request({
    method: 'PATCH',
    path: `${webhooks}/weft-controller`,
    patch: 'json',
    body: [{ op: 'remove', path: '/webhooks/1/clientConfig/caBundle' }],
  });
  await isKept();
  const failed = once(events, 'failed');
  await admin.request({ method: 'DELETE', path: `${webhooks}/weft-controller` });
  assert.match(String((await failed)[0]), /weft-controller.* not found/);
  await post(webhooks, chart);
  await isKept();
});

function pem(text: string): string {
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(text).toString('base64')}\n-----END CERTIFICATE-----\n`;
}
