import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { KubeError } from '../../src/kubernetes/api.js';
import { connect } from '../../src/kubernetes/connect.js';
import { isPlain, textOf } from '../../src/kubernetes/plain.js';
import { type Apiserver, startApiserver } from '../support/apiserver.js';
import { makeCertificates } from '../support/certificates.js';
import { temporaryFolder } from '../support/envoy.js';
import { portOf } from '../support/port.js';

const configMaps = '/api/v1/namespaces/shop/configmaps';

/** A kubeconfig like the administrator's, but for the user. */
async function kubeconfigWith(t: TestContext, apiserver: Apiserver, user: object, cluster: object = {}): Promise<string> {
  const config: unknown = JSON.parse(await readFile(apiserver.kubeconfig, 'utf8'));
  assert.ok(isPlain(config));
  const path = join(await temporaryFolder(t), 'kubeconfig');
  const clusters = [{ name: 'test', cluster: { server: apiserver.url, 'certificate-authority': apiserver.authority, ...cluster } }];
  await writeFile(path, JSON.stringify({ ...config, clusters, users: [{ name: 'test', user }] }));
  return path;
}

/** Whom the API server takes the bearer of a kubeconfig for. */
async function whoIs(kubeconfig: string): Promise<string> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const answer = await connect({ kubeconfig }).request({ method: 'POST', path: '/apis/authentication.k8s.io/v1/selfsubjectreviews', body });
  const status = isPlain(answer) ? answer['status'] : undefined;
  return textOf(isPlain(status) ? status['userInfo'] : undefined, 'username');
}

test('requests, patches and refusals', async (t) => {
  const apiserver = await startApiserver(t);
  const { client } = apiserver;
  await apiserver.namespace('shop');
  const dataOf = (answer: unknown) => (isPlain(answer) ? answer['data'] : undefined);

  await client.request({ method: 'POST', path: configMaps, body: { metadata: { name: 'a' }, data: { x: '1', y: 'ä' } } });
  const path = `${configMaps}/a`;
  assert.deepEqual(dataOf(await client.request({ method: 'PATCH', path, patch: 'merge', body: { data: { x: null } } })), { y: 'ä' });
  assert.deepEqual(dataOf(await client.request({ method: 'PATCH', path, patch: 'json', body: [{ op: 'add', path: '/data/z', value: '2' }] })), {
    y: 'ä',
    z: '2',
  });
  assert.deepEqual(dataOf(await client.request({ method: 'PATCH', path, patch: 'strategic', body: { data: { z: null } } })), { y: 'ä' });
  const applied = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b' }, data: { own: 'field' } };
  assert.deepEqual(dataOf(await client.request({ method: 'PATCH', path: `${configMaps}/b`, patch: 'apply', query: { fieldManager: 'test' }, body: applied })), {
    own: 'field',
  });
  assert.equal(await client.request({ method: 'GET', path: '/readyz' }), 'ok');

  const refused = (status: number, reason: string, message: RegExp) => (error: unknown) =>
    error instanceof KubeError && error.status === status && error.reason === reason && message.test(error.message);
  await assert.rejects(client.request({ method: 'GET', path: `${configMaps}/c` }), refused(404, 'NotFound', /^GET \/api.*c: configmaps "c" not found$/));
  await assert.rejects(
    client.request({ method: 'POST', path: configMaps, body: { metadata: { name: 'a' } } }),
    refused(409, 'AlreadyExists', /already exists/),
  );
  const nobody = await apiserver.clientAs({ user: 'nobody' });
  await assert.rejects(nobody.request({ method: 'GET', path: configMaps }), refused(403, 'Forbidden', /User "nobody" cannot list/));
  const watching = nobody.watch(
    configMaps,
    {},
    () => assert.fail('an event'),
    new AbortController().signal,
    () => assert.fail('open'),
  );
  await assert.rejects(watching, refused(403, 'Forbidden', /User "nobody" cannot watch/));
});

test('a watch says when it is open, hands on what happens, and ends when it is aborted', async (t) => {
  const apiserver = await startApiserver(t);
  const { client } = apiserver;
  await apiserver.namespace('shop');
  const closing = new AbortController();
  const seen: string[] = [];
  const data = { text: 'ü'.repeat(100_000) };
  let made: Promise<unknown> | undefined;
  await client.watch(
    configMaps,
    {},
    ({ type, object }) => {
      const same = isPlain(object) && isPlain(object['data']) && object['data']['text'] === data.text;
      seen.push(`${type} ${same}`);
      closing.abort();
    },
    closing.signal,
    () => {
      seen.push('open');
      made = client.request({ method: 'POST', path: configMaps, body: { metadata: { name: 'a' }, data } });
    },
  );
  await made;
  assert.deepEqual(seen, ['open', 'ADDED true']);
  await client.watch(configMaps, {}, () => assert.fail('an event'), closing.signal);
  await client.request({ method: 'GET', path: configMaps });
});

test('every kind of credentials is shown to the API server', async (t) => {
  const { authority, leaves } = makeCertificates(['maria']);
  const folder = await temporaryFolder(t);
  const at = (name: string) => join(folder, name);
  await writeFile(at('ca.pem'), authority);
  await writeFile(at('me.pem'), leaves.get('maria')?.certificate ?? '');
  await writeFile(at('me.key'), leaves.get('maria')?.key ?? '');
  const apiserver = await startApiserver(t, [`--client-ca-file=${at('ca.pem')}`]);
  await apiserver.namespace('shop');
  const token = await apiserver.token('shop', 'default');
  await writeFile(at('token'), token);
  const account = 'system:serviceaccount:shop:default';

  assert.equal(await whoIs(await kubeconfigWith(t, apiserver, { 'client-certificate': at('me.pem'), 'client-key': at('me.key') })), 'maria');
  assert.equal(await whoIs(await kubeconfigWith(t, apiserver, { token })), account);
  assert.equal(await whoIs(await kubeconfigWith(t, apiserver, { tokenFile: at('token') })), account);

  const credential = `{ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token: process.env.TOKEN } }`;
  const script = `if (JSON.parse(process.env.KUBERNETES_EXEC_INFO).kind === 'ExecCredential') console.log(JSON.stringify(${credential}))`;
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', script], env: [{ name: 'TOKEN', value: token }] };
  assert.equal(await whoIs(await kubeconfigWith(t, apiserver, { exec })), account);
  const failing = { ...exec, args: ['-e', 'console.error("log in first"); process.exit(1)'] };
  await assert.rejects(whoIs(await kubeconfigWith(t, apiserver, { exec: failing })), /credentials of context test cannot be had: log in first; does kubectl/);

  await writeFile(at('ca.crt'), await readFile(apiserver.authority));
  const { hostname, port } = new URL(apiserver.url);
  const inPod = connect({ home: folder, inCluster: { host: hostname, port, folder } });
  await assert.rejects(inPod.request({ method: 'GET', path: '/api/v1/pods' }), new RegExp(`User "${account}" cannot list`));
});

test('a server whose certificate is not of the authority is not spoken to', async (t) => {
  const apiserver = await startApiserver(t);
  const { authority } = makeCertificates([]);
  const path = join(await temporaryFolder(t), 'other.pem');
  await writeFile(path, authority);
  await assert.rejects(whoIs(await kubeconfigWith(t, apiserver, { token: 'x' }, { 'certificate-authority': path })), /cannot be reached: .*certificate/);
});

/** Takes connections and answers nothing. */
async function deafServer(t: TestContext): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return server;
}

test('a server that does not answer is given up after the time that was set, or when the caller says so', async (t) => {
  const port = portOf(await deafServer(t));
  const path = join(await temporaryFolder(t), 'kubeconfig');
  const list = (name: string, value: object) => [{ name: 'test', [name]: value }];
  const config = {
    clusters: list('cluster', { server: `https://127.0.0.1:${port}` }),
    contexts: list('context', { cluster: 'test' }),
    'current-context': 'test',
  };
  await writeFile(path, JSON.stringify(config));
  const client = connect({ kubeconfig: path });
  const late = new RegExp(`GET /version: the API server at https://127.0.0.1:${port} cannot be reached: no answer within 50 ms`);
  await assert.rejects(client.request({ method: 'GET', path: '/version', timeoutMs: 50 }), late);
  await assert.rejects(client.request({ method: 'GET', path: '/version', signal: AbortSignal.abort(new Error('enough')) }), /enough/);
  await client.watch('/api/v1/pods', {}, () => undefined, AbortSignal.timeout(50));
});
