/** Who gets anything from the xDS port of a cluster: real tokens of a real API server, over TLS, on every method that there is. */
import assert from 'node:assert/strict';
import { createPrivateKey, createSign, generateKeyPairSync } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { decode } from '../../src/envoy/decode.js';
import { openCa } from '../../src/identity/ca.js';
import { provenClaims } from '../../src/identity/node.js';
import { createServingCertificate } from '../../src/identity/serving-certificate.js';
import type { PodSubject } from '../../src/identity/subject.js';
import { createTokenAuthenticator } from '../../src/identity/token-review.js';
import { issueSvid } from '../../src/identity/x509.js';
import { isPlain, textOf } from '../../src/kubernetes/plain.js';
import { spiffeId } from '../../src/model/spiffe.js';
import type { CallMetadata } from '../../src/serve/subject.js';
import { type Apiserver, startApiserver } from '../support/apiserver.js';
import { validFor } from '../support/authority.js';
import { eventually } from '../support/mesh.js';
import { bearer, walk } from '../support/walk.js';
import { classOf } from '../support/world.js';
import { ask, connect, openDelta } from '../support/xds-client.js';
import { startGuardedServer } from '../support/xds-server.js';

const controller = 'system:serviceaccount:weft-system:weft-controller';
const rbac = { apiGroup: 'rbac.authorization.k8s.io' };
const pods = '/api/v1/namespaces/shop/pods';

/** Two pods in the namespace shop, and a controller that may review tokens and fill its Secret, and nothing else. */
async function prepare(t: TestContext) {
  const apiserver = await startApiserver(t);
  const { client } = apiserver;
  for (const name of ['shop', 'weft-system']) await apiserver.namespace(name);
  const post = (path: string, body: object) => client.request({ method: 'POST', path, body });
  await post('/api/v1/namespaces/shop/serviceaccounts', { metadata: { name: 'web' } });
  await post('/api/v1/namespaces/weft-system/secrets', { metadata: { name: 'weft-ca' } });
  const rules = [
    { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
    { apiGroups: [''], resources: ['secrets'], resourceNames: ['weft-ca'], verbs: ['get', 'update'] },
  ];
  await post('/apis/rbac.authorization.k8s.io/v1/clusterroles', { metadata: { name: 'controller' }, rules });
  const binding = { metadata: { name: 'controller' }, roleRef: { ...rbac, kind: 'ClusterRole', name: 'controller' } };
  await post('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', { ...binding, subjects: [{ ...rbac, kind: 'User', name: controller }] });
  const spec = { serviceAccountName: 'web', automountServiceAccountToken: false, containers: [{ name: 'app', image: 'app' }] };
  const uids = new Map<string, string>();
  for (const name of ['web-1', 'web-2', 'gone']) {
    const pod = await post(pods, { metadata: { name }, spec });
    uids.set(name, isPlain(pod) ? textOf(pod['metadata'], 'uid') : '');
  }
  return { apiserver, uids };
}

/** The server as `weft serve --kubernetes` puts it together, over the resources of a test. The clock can be put forward. */
async function serve(t: TestContext, apiserver: Apiserver, uids: ReadonlyMap<string, string>) {
  const time = { ahead: 0 };
  const clock = () => Date.now() + time.ahead;
  const client = await apiserver.clientAs({ user: controller });
  const onError = (error: unknown) => assert.fail(String(error));
  const ca = await openCa({ client, namespace: 'weft-system', secret: 'weft-ca', clock, onError });
  t.after(ca.close);
  const certificate = await createServingCertificate({ ca, dnsNames: ['localhost'], clock, onError });
  t.after(certificate.close);
  const podUid = (namespace: string, pod: string) => (namespace === 'shop' ? uids.get(pod) : undefined);
  const authenticate = createTokenAuthenticator({ client, audience: 'weft', clock, podUid });
  const guard = {
    clock,
    authenticate: (metadata: CallMetadata, _: string, how?: 'Anew') => authenticate(metadata.get('authorization'), how),
    classify: (node: object, subject: PodSubject) => {
      const claims = provenClaims(node, subject, { labels: {}, zone: '' });
      return 'refused' in claims ? claims : classOf('a', claims.namespace);
    },
    maySee: ({ id }: PodSubject, node: { readonly id?: string | undefined }) => node.id === id,
  };
  const server = await startGuardedServer<PodSubject>({ tls: { certificate } }, guard);
  t.after(server.close);
  const xds = connect(server.port, grpc.credentials.createSsl(Buffer.from(certificate.current().bundle)));
  t.after(async () => xds.close());
  const authority = { trusted: certificate.current().bundle, mesh: ca.current() };
  return { server, xds, time, authority };
}

/** A token that says of itself whatever it is made to say, signed by somebody else than the API server. */
function forge(token: string): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [header, payload] = token.split('.');
  const signature = createSign('SHA256')
    .update(`${header}.${payload}`)
    .sign({ key: createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })), dsaEncoding: 'ieee-p1363' });
  return `${header}.${payload}.${signature.toString('base64url')}`;
}

/** The same signature under another name. */
function rename(token: string, from: string, to: string): string {
  const [header, payload = '', signature] = token.split('.');
  const changed = Buffer.from(payload, 'base64url').toString().replaceAll(from, to);
  return `${header}.${Buffer.from(changed).toString('base64url')}.${signature}`;
}

test('on a cluster nobody gets anything without the token of his own pod, on any method', async (t) => {
  const { apiserver, uids } = await prepare(t);
  const { server, xds, time, authority } = await serve(t, apiserver, uids);
  const bound = (name: string) => ({ name, uid: uids.get(name) ?? '' });
  const tokenOf = (name: string, expirationSeconds = 3600) => apiserver.token('shop', 'web', { audiences: ['weft'], expirationSeconds, pod: bound(name) });
  const first = await tokenOf('web-1');

  await t.test('the pod itself is served on all of them', async () => {
    assert.ok(server.methods.length >= 5);
    for (const { path, code, details } of await walk(server.methods, xds, bearer(first), 'shop/web-1'))
      assert.equal(code, grpc.status.OK, `${path}: ${details}`);
  });

  await t.test('others are not, and each refusal is told with its reason', async () => {
    const gone = await tokenOf('gone');
    await apiserver.client.request({ method: 'DELETE', path: `${pods}/gone`, query: { gracePeriodSeconds: '0' } });
    const tokens: Readonly<Record<string, string | undefined>> = {
      'no token': undefined,
      'an empty one': '',
      garbage: 'x'.repeat(100),
      'what looks like one': 'e30.eyJleHAiOjk5OTk5OTk5OTl9.e30',
      'another audience': await apiserver.token('shop', 'web', { audiences: ['vault'], pod: bound('web-1') }),
      "the API server's own audience": await apiserver.token('shop', 'web', { pod: bound('web-1') }),
      'a ServiceAccount without a pod': await apiserver.token('shop', 'web', { audiences: ['weft'] }),
      "a deleted pod's": gone,
      'signed by somebody else': forge(first),
      'changed after it was signed': rename(first, 'web-1', 'web-2'),
    };
    for (const [name, token] of Object.entries(tokens)) {
      const before = server.refusedCalls.length;
      for (const { path, code } of await walk(server.methods, xds, bearer(token), 'shop/web-1'))
        assert.equal(code, grpc.status.UNAUTHENTICATED, `${name}: ${path}`);
      const told = server.refusedCalls.slice(before);
      assert.deepEqual(told.map(({ method }) => method).sort(), server.methods.map(({ path }) => path).sort(), name);
      assert.ok(
        told.every(({ reason, peer }) => reason.length > 20 && peer.length > 0),
        name,
      );
      assert.ok(token === undefined || token === '' || !JSON.stringify(told).includes(token), `${name}: no token is told`);
    }
  });

  await t.test('the certificate of a workload opens nothing: neither that of a pod that is there, nor that of one that is gone', async () => {
    const { trusted, mesh } = authority;
    const [web, gone] = await Promise.all(
      ['web', 'gone'].map((serviceAccount) => issueSvid(mesh, spiffeId('cluster.local', { namespace: 'shop', serviceAccount }), validFor())),
    );
    for (const leaf of [web, gone]) {
      const shown = connect(server.port, grpc.credentials.createSsl(Buffer.from(trusted), Buffer.from(leaf?.key ?? ''), Buffer.from(leaf?.certificate ?? '')));
      t.after(async () => shown.close());
      const before = server.refusedCalls.length;
      for (const { path, code } of await walk(server.methods, shown, bearer(), 'shop/web-1')) assert.equal(code, grpc.status.UNAUTHENTICATED, path);
      const told = server.refusedCalls.slice(before);
      assert.deepEqual(told.map(({ method }) => method).sort(), server.methods.map(({ path }) => path).sort());
      assert.ok(told.every(({ reason }) => /there is no authorization header/.test(reason)));
    }
  });

  await t.test("a node that is not the token's pod is refused", async () => {
    for (const id of ['shop/web-2', 'bank/web-1', 'web-1', '']) {
      for (const { path, code } of await walk(server.methods, xds, bearer(first), id)) {
        if (path.includes('AggregatedResources')) assert.equal(code, grpc.status.PERMISSION_DENIED, `${id}: ${path}`);
      }
    }
  });

  await t.test('a pod sees its own status alone', async () => {
    const streams = await Promise.all(
      ['web-1', 'web-2'].map(async (name) => {
        const stream = openDelta(xds, `shop/${name}`, bearer(await tokenOf(name)));
        stream.request('Cluster');
        await stream.take();
        return stream;
      }),
    );
    const answer = await ask(xds, '/envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus', Buffer.alloc(0), bearer(first));
    assert.ok(Buffer.isBuffer(answer));
    const { config = [] } = decode('envoy.service.status.v3.ClientStatusResponse', answer);
    assert.deepEqual(
      config.map(({ node }) => node?.id),
      ['shop/web-1'],
    );
    for (const { cancel } of streams) cancel();
  });

  await t.test('a stream ends with its token, which then opens none, and the rotated one does', { timeout: 20_000 }, async () => {
    const short = await tokenOf('web-1', 600);
    const stream = openDelta(xds, 'shop/web-1', bearer(short));
    stream.request('Cluster');
    await stream.take();
    time.ahead = 601_000;
    assert.equal((await stream.ended).code, grpc.status.UNAUTHENTICATED);
    for (const { path, code } of await walk(server.methods, xds, bearer(short), 'shop/web-1')) assert.equal(code, grpc.status.UNAUTHENTICATED, path);
    for (const { path, code } of await walk(server.methods, xds, bearer(await tokenOf('web-1')), 'shop/web-1')) assert.equal(code, grpc.status.OK, path);
  });

  await t.test('a pod that is deleted loses its stream, and its token is good for nothing more though it was good a moment ago', async () => {
    const second = await tokenOf('web-2');
    const stream = openDelta(xds, 'shop/web-2', bearer(second));
    stream.request('Cluster');
    await stream.take();
    const uid = uids.get('web-2');
    await apiserver.client.request({ method: 'DELETE', path: `${pods}/web-2`, query: { gracePeriodSeconds: '0' } });
    uids.delete('web-2');
    assert.equal(
      server.endStreamsOf((subject) => subject.uid === uid, 'the pod is gone'),
      1,
    );
    assert.deepEqual(await stream.ended, { code: grpc.status.UNAUTHENTICATED, details: 'the pod is gone' });
    for (const { path, code } of await walk(server.methods, xds, bearer(second), 'shop/web-2')) assert.notEqual(code, grpc.status.OK, path);
    uids.set('web-2', 'the uid of the next pod of this name');
    for (const { path, code } of await walk(server.methods, xds, bearer(second), 'shop/web-2')) assert.notEqual(code, grpc.status.OK, path);
  });

  await t.test('while the API server is away, who is known goes on and others are asked to come back', { timeout: 60_000 }, async () => {
    const fresh = await tokenOf('web-1', 1200);
    assert.ok(Buffer.isBuffer(await ask(xds, '/grpc.health.v1.Health/Check', Buffer.alloc(0), bearer(first))));
    await apiserver.kill();
    for (const { path, code } of await walk(server.methods, xds, bearer(first), 'shop/web-1')) assert.equal(code, grpc.status.OK, path);
    for (const { path, code } of await walk(server.methods, xds, bearer(fresh), 'shop/web-1')) assert.equal(code, grpc.status.UNAVAILABLE, path);
    await apiserver.start();
    await eventually(async () => (await walk(server.methods, xds, bearer(fresh), 'shop/web-1')).every(({ code }) => code === grpc.status.OK));
  });

  await t.test('a token that is taken back while its stream is open ends the stream, and it is told why', { timeout: 60_000 }, async () => {
    const token = await tokenOf('web-1', 7200);
    const stream = openDelta(xds, 'shop/web-1', bearer(token));
    stream.request('Cluster');
    await stream.take();
    await apiserver.client.request({ method: 'DELETE', path: '/api/v1/namespaces/shop/serviceaccounts/web' });
    // The API server itself remembers for a few seconds that a token was good.
    const askAnew = () => createTokenAuthenticator({ client: apiserver.client, audience: 'weft', clock: Date.now })([`Bearer ${token}`]);
    await eventually(async () => 'refused' in (await askAnew()));
    const before = server.refusedCalls.length;
    time.ahead += 301_000;
    assert.equal((await stream.ended).code, grpc.status.UNAUTHENTICATED);
    assert.ok(server.refusedCalls.slice(before).some(({ subject, reason }) => subject?.id === 'shop/web-1' && reason.length > 20));
    for (const { path, code } of await walk(server.methods, xds, bearer(token), 'shop/web-1')) assert.equal(code, grpc.status.UNAUTHENTICATED, path);
  });
});
