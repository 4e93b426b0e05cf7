/** What goes between two meshed pods, and what does not. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readReport } from '../../src/commands/strict-ready/sidecar.js';
import { makeAuthority, type Pair } from '../../src/identity/x509.js';
import { keyHeader, probePath } from '../../src/inject/probe.js';
import { plaintextPath } from '../../src/model/plaintext.js';
import { validFor } from '../support/authority.js';
import type { Cleanup } from '../support/envoy.js';
import { meshObject, put, service, slice, take } from '../support/manifests.js';
import { eventually } from '../support/mesh.js';
import { capture, isReadable, type Segment } from './capture.js';
import { seen } from './captured-mesh.js';
import { address6, addresses, drainKey, type MutualMesh, probes, startMutualMesh, svid, tlsPolicy, vaults, vips } from './mutual-mesh.js';
import type { NetworkPod } from './network.js';
import { launchSidecar } from './processes.js';

const cleanups: (() => Promise<void>)[] = [];
let mesh: MutualMesh;

before(async () => {
  mesh = await startMutualMesh({ after: (hook) => void cleanups.push(hook) });
});

after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

const mutualPort = 15_008;
const watch = (t: Cleanup) => capture(t, mesh.network.gateway.netns, 'vserver');

/** All between the caller and the server went over mutual TLS: nothing was sent to another port, and what there is begins as TLS does. */
function assertSecret(segments: readonly Segment[], words: readonly string[]): void {
  const mutual = segments.filter(({ from, to }) => from === mutualPort || to === mutualPort);
  const others = segments.filter(({ from, to }) => from !== mutualPort && to !== mutualPort && from !== 15_010 && to !== 15_010);
  assert.deepEqual(others, []);
  assert.ok(mutual.length > 0);
  for (const text of words) assert.ok(!isReadable(segments, text), text);
}

test('the first request between two meshed pods is TLS 1.3, and each knows who the other is', async (t) => {
  const stop = await watch(t);
  const { headers, app } = await seen(mesh.client, { address: vips.web, port: 80, path: '/the-password', headers: { 'x-own': 'the-secret' } });
  assertSecret(await stop(), ['the-password', 'the-secret', 'HTTP/1.1']);
  assert.equal(app, 'server');
  assert.match(
    headers['x-forwarded-client-cert'] ?? '',
    /^By=spiffe:\/\/cluster.local\/ns\/shop\/sa\/server;.*URI=spiffe:\/\/cluster.local\/ns\/shop\/sa\/client$/,
  );
  const { stats } = JSON.parse(await mesh.serverEnvoy.admin('/stats?format=json&filter=^listener.0.0.0.0_15008.ssl.versions'));
  assert.deepEqual(stats, [{ name: 'listener.0.0.0.0_15008.ssl.versions.TLSv1.3', value: 1 }]);
});

test('whatever is spoken, and by whatever address the pod is called', async (t) => {
  const { server } = addresses;
  const greeting = async (address: string, port: number) => (await mesh.client.run('tcp', { address, port, say: 'the-secret' })).join();
  const cases: Readonly<Record<string, () => Promise<unknown>>> = {
    'HTTP/1.1 to a Service': () => seen(mesh.client, { address: vips.pair, port: 80, headers: { own: 'the-secret' } }),
    'HTTP/1.1 to a pod': () => seen(mesh.client, { address: server, port: 8080, headers: { own: 'the-secret' } }),
    'HTTP/1.1 over IPv6': () => seen(mesh.client, { address: address6, port: 8080, headers: { own: 'the-secret' } }),
    gRPC: () => mesh.client.run('callGrpc', { target: `${vips.api}:50051`, say: 'the-secret' }),
    'gRPC to a pod': () => mesh.client.run('callGrpc', { target: `${server}:50051`, say: 'the-secret' }),
    'a WebSocket': () => mesh.client.run('webSocket', { url: `ws://${vips.web}/chat`, host: 'web.shop', say: 'the-secret' }),
    'TCP where the server speaks first, to a port with a name': () => greeting(vips.db, 3306),
    'TCP to a pod': () => greeting(server, 3306),
    'TCP to a headless Service with another target': () => greeting(server, 5673),
  };
  for (const [name, call] of Object.entries(cases)) {
    await t.test(name, async (inner) => {
      const stop = await watch(inner);
      const answer = JSON.stringify(await call());
      assertSecret(await stop(), ['the-secret', ' greets ', 'heard']);
      assert.match(answer, /the-secret/);
    });
  }
});

test('another namespace that writes the address of the server into an EndpointSlice changes nothing of calls to it', async (t) => {
  const { server } = addresses;
  const port = { name: 'http', port: 8080 };
  const redirect = { type: 'RequestRedirect', requestRedirect: { hostname: 'trap.evil' } };
  const spec = { targetRefs: [{ kind: 'Service', name: 'a' }], tls: { mode: 'Disabled' }, rules: [{ filters: [redirect] }] };
  await put(mesh.manifests, 'evil', [
    ...[service('evil', 'a', 'None', [port]), slice('evil', 'a', port, [server])],
    ...[service('evil', 'queue', 'None', [{ name: 'tcp', port: 5673 }]), slice('evil', 'queue', { name: 'tcp', port: 5673 }, [server])],
    ...[service('evil', 'seen', '10.96.2.99', [port]), slice('evil', 'seen', { name: 'http', port: 8082 }, [server])],
    { apiVersion: 'weft.dev/v1alpha1', kind: 'TrafficPolicy', metadata: { name: 'a', namespace: 'evil' }, spec },
  ]);
  const byName = async () => (await mesh.client.run('http', { address: '10.96.2.99', port: 8080 })).status === 200;
  await eventually(() => byName().catch(() => false));
  const stop = await watch(t);
  const { headers } = await seen(mesh.client, { address: server, port: 8080, headers: { own: 'the-secret' } });
  await mesh.client.run('tcp', { address: server, port: 5673, say: 'the-secret' });
  assertSecret(await stop(), ['the-secret', ' greets ']);
  assert.match(headers['x-forwarded-client-cert'] ?? '', /URI=spiffe:\/\/cluster.local\/ns\/shop\/sa\/client$/);
  await take(mesh.manifests, 'evil');
});

test('an app of the mesh calls its own Service over mutual TLS too', async () => {
  const { headers } = await seen(mesh.server, { address: vips.web, port: 80 });
  assert.match(headers['x-forwarded-client-cert'] ?? '', /URI=spiffe:\/\/cluster.local\/ns\/shop\/sa\/server$/);
});

test('a header in which an app claims to be another is not believed', async () => {
  const claim = { 'x-forwarded-client-cert': 'URI=spiffe://cluster.local/ns/shop/sa/admin' };
  const { headers } = await seen(mesh.client, { address: vips.web, port: 80, headers: claim });
  assert.doesNotMatch(headers['x-forwarded-client-cert'] ?? '', /admin/);
});

test('pods without a sidecar are called in plaintext, and meshed ones beside them are not', async () => {
  const apps = new Map<string, string>();
  while (apps.size < 2) {
    const { app, headers } = await seen(mesh.client, { address: vips.mixed, port: 80 });
    apps.set(app, headers['x-forwarded-client-cert'] ?? '');
  }
  assert.equal(apps.get('plain'), '');
  assert.match(apps.get('server') ?? '', /^By=/);
});

test('the TLS of an app itself passes through, inside of the mesh and from outside', async (t) => {
  const call = { address: vips.secure, port: 8443, serverName: 'secure.shop', say: 'the-secret' };
  const stop = await watch(t);
  assert.match(await mesh.client.run('callTls', call), /own over TLSv1.3/);
  assertSecret(await stop(), ['secure.shop']);
  assert.match(await mesh.plain.run('callTls', { ...call, address: addresses.server }), /own over TLSv1.3/);
});

test('Disabled: meshed callers use plaintext too', async (t) => {
  const stop = await watch(t);
  const { headers } = await seen(mesh.client, { address: vips.bare, port: 80, path: '/no-secret' });
  const segments = await stop();
  assert.ok(isReadable(segments, '/no-secret'));
  assert.ok(!segments.some(({ to }) => to === mutualPort));
  assert.equal(headers['x-forwarded-client-cert'], undefined);
});

/** What a caller outside of the mesh gets from the port: `200`, or `refused` where the connection is ended without a byte. */
async function outside(port: number): Promise<string> {
  const name = `outside-${port}`;
  await mesh.plain.run('open', { name, address: addresses.server, port });
  const answer = mesh.plain.run('exchange', { name, say: 'GET / HTTP/1.1\r\nhost: web\r\nconnection: close\r\n\r\n', until: '}' });
  const end = mesh.plain.run('untilClosed', { name });
  const text = await answer.catch(() => end);
  mesh.plain.run('close', { name }).catch(() => undefined);
  return text === '' ? 'refused' : text.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length);
}

test('a caller outside of the mesh is let in where the port is Permissive, and refused where it is Strict', async () => {
  assert.equal(await outside(8080), '200');
  assert.equal(await outside(8081), 'refused');
  assert.equal((await seen(mesh.client, { address: vips.locked, port: 80 })).app, 'server');
});

test('where the Mesh is Strict so is every port, unless a policy says otherwise', async () => {
  assert.equal(await outside(8083), '200', 'a port that no Service names');
  await put(mesh.manifests, 'strict', [meshObject({ mtls: 'Strict' }), tlsPolicy('web', 'Permissive')]);
  await eventually(async () => (await outside(8083)) === 'refused');
  assert.equal(await outside(8080), '200');
  assert.equal(await outside(8443), 'refused');
  await take(mesh.manifests, 'strict');
  await eventually(async () => (await outside(8083)) === '200');
});

test('who calls in plaintext is remembered, and neither meshed callers nor probes', async () => {
  await mesh.plain.run('open', { name: 'silent', address: addresses.server, port: 3306 });
  await mesh.plain.run('exchange', { name: 'silent', say: '', until: '\n' });
  assert.equal(await outside(8080), '200');
  await seen(mesh.client, { address: vips.pair, port: 80 });
  for (const probe of probes)
    await mesh.plain.run('http', { address: addresses.server, port: 15_021, path: probePath(probe), headers: { [keyHeader]: drainKey } });
  const { body } = await mesh.plain.run('http', { address: addresses.server, port: 15_021, path: plaintextPath });
  const callers = new Map(readReport(body)?.sightings.map(({ port, address, times }) => [`${address} ${port}`, times]));
  await mesh.plain.run('close', { name: 'silent' });
  assert.ok(callers.has(`${addresses.plain} 3306`), 'while the connection is open');
  assert.ok(callers.has(`${addresses.plain} 8080`));
  const kept = [...callers.keys()].filter((caller) => !caller.startsWith(`${addresses.plain} `));
  assert.deepEqual(kept, [`${addresses.client} 8082`], 'the client calls in plaintext where the mode is Disabled alone');
});

test('who has no certificate of the mesh is refused', async (t) => {
  const call = { address: addresses.server, port: mutualPort, serverName: 'p8080.weft', say: 'GET / HTTP/1.1\r\nhost: web\r\n\r\n' };
  const stranger = await svid(await makeAuthority(validFor()), 'client');
  const member = await svid(mesh.authority, 'client');
  assert.match(await mesh.plain.run('callTls', { ...call, ...member }), /^HTTP\/1.1 200/);
  const refused: Readonly<Record<string, object>> = {
    'without a certificate': {},
    'with one of another authority': stranger,
    'with TLS 1.2': { ...member, maxVersion: 'TLSv1.2' },
    'for a port that no Service names': { ...member, serverName: 'p8083.weft' },
    'with a server name of another kind': { ...member, serverName: 'web.shop' },
  };
  for (const [name, how] of Object.entries(refused)) await t.test(name, () => assert.rejects(mesh.plain.run('callTls', { ...call, ...how }), /callTls/));
});

test('who answers for a Service must have the identity of its pods, by the authority of the mesh', async (t) => {
  const other = await makeAuthority(validFor());
  const answers = async (impostor: NetworkPod, pair: Pair, port: number) => {
    await impostor.run('serveTls', { name: 'vault', port: mutualPort, ...pair });
    return (await mesh.client.run('http', { address: vaults(port), port })).status;
  };
  assert.equal(await answers(mesh.impostor, await svid(mesh.authority, 'vault'), 9001), 200);
  await t.test('another ServiceAccount', async () => assert.equal(await answers(mesh.impostor, await svid(mesh.authority, 'thief'), 9002), 503));
  await t.test('another authority', async () => assert.equal(await answers(mesh.impostor, await svid(other, 'vault'), 9003), 503));
});

test('probes reach the app where its port is Strict', async () => {
  assert.equal(await outside(8081), 'refused');
  for (const probe of probes) {
    const call = { address: addresses.server, port: 15_021, path: probePath(probe), headers: { [keyHeader]: drainKey } };
    assert.equal((await mesh.plain.run('http', call)).status, 200, probePath(probe));
  }
});

test('a sidecar that is not known yet waits, and then calls over mutual TLS from the first request', async (t) => {
  const cleanup: Cleanup = { after: (hook) => void cleanups.push(hook) };
  const envoy = await launchSidecar(cleanup, mesh.late, mesh.lateSidecar);
  const tries = async () => Number(/: (\d+)/.exec(await envoy.admin('/stats?filter=^cluster.xds.upstream_rq_total$').catch(() => ''))?.[1] ?? 0);
  await eventually(async () => (await tries()) >= 3);
  assert.doesNotMatch(await envoy.admin('/ready').catch(String), /^LIVE/);
  await mesh.admitLate();
  await envoy.ready();
  const stop = await watch(t);
  const { headers } = await seen(mesh.late, { address: vips.web, port: 80, headers: { own: 'the-secret' } });
  assertSecret(await stop(), ['the-secret']);
  assert.match(headers['x-forwarded-client-cert'] ?? '', /URI=spiffe:\/\/cluster.local\/ns\/shop\/sa\/late$/);
});

const isIdentified = async () => 'x-forwarded-client-cert' in (await seen(mesh.client, { address: vips.pair, port: 80 })).headers;

/** Both ends do what the mode says. */
const hasBecome: Readonly<Record<string, () => Promise<boolean>>> = {
  Strict: async () => (await outside(8080)) === 'refused' && (await isIdentified()),
  Permissive: async () => (await outside(8080)) === '200' && (await isIdentified()),
  Disabled: async () => !(await isIdentified()),
};

test('no request fails and no connection ends while a port becomes Strict, Permissive, Disabled and Permissive again', async () => {
  await mesh.client.run('open', { name: 'long', address: vips.pair, port: 5672 });
  await mesh.client.run('exchange', { name: 'long', say: '', until: '\n' });
  await mesh.client.run('startLoad', { address: vips.pair, httpPort: 80, tcpPort: 5672, perSecond: 100 });
  await mesh.client.run('moreLoad', { requests: 50 });
  for (const mode of ['Strict', 'Permissive', 'Disabled', 'Permissive', 'Disabled', 'Permissive']) {
    await put(mesh.manifests, 'pair', [tlsPolicy('pair', mode)]);
    await eventually(async () => hasBecome[mode]?.());
    await mesh.client.run('moreLoad', { requests: 50 });
    await mesh.client.run('exchange', { name: 'long', say: `still there as ${mode}`, until: mode });
  }
  const { requests, connections, failures } = await mesh.client.run('stopLoad', undefined);
  assert.deepEqual(failures, []);
  assert.ok(requests >= 350 && connections > 50, `${requests} requests and ${connections} connections`);
});
