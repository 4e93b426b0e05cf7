import assert from 'node:assert/strict';
import { test } from 'node:test';
import { follow } from '../../test/support/followed.js';
import { createScriptedCluster, createTestClock, expired, list, type ScriptedCluster } from '../../test/support/scripted-cluster.js';
import { parsers } from '../commands/parsers.js';
import { KubeError } from '../kubernetes/api.js';
import type { Parsers } from './change.js';
import { collectionPath } from './kubernetes/collection.js';
import { kubernetesParsers } from './parsers.js';

const namespaces = '/api/v1/namespaces';
const nodes = '/api/v1/nodes';
const two = only('v1/Namespace', 'v1/Node');
const one = only('v1/Namespace');

function only(...ids: readonly string[]): Parsers {
  return Object.fromEntries(Object.entries(kubernetesParsers).filter(([id]) => ids.includes(id)));
}

function object(name: string, resourceVersion: string, labels: object = {}) {
  return { metadata: { name, uid: name, resourceVersion, labels } };
}

function watchOf(cluster: ScriptedCluster, path: string) {
  const found = cluster.watches().find((watch) => watch.path === path);
  assert.ok(found, `${path} is not watched`);
  return found;
}

const keysOf = (changes: readonly { key: string; object?: unknown }[] | undefined) => changes?.map(({ key, object }) => `${object ? '+' : '-'}${key}`);

test('a kind is found under the path that the API server gives it', () => {
  const ids = [
    'v1/Service',
    'discovery.k8s.io/v1/EndpointSlice',
    'weft.dev/v1alpha1/TrafficPolicy',
    'weft.dev/v1alpha1/Mesh',
    'gateway.networking.k8s.io/v1/Gateway',
  ];
  assert.deepEqual(ids.map(collectionPath), [
    '/api/v1/services',
    '/apis/discovery.k8s.io/v1/endpointslices',
    '/apis/weft.dev/v1alpha1/trafficpolicies',
    '/apis/weft.dev/v1alpha1/meshes',
    '/apis/gateway.networking.k8s.io/v1/gateways',
  ]);
});

test('nothing is handed on before every kind has synced, then all of it at once', async (t) => {
  const [cluster, clock] = [createScriptedCluster(), createTestClock()];
  cluster.answer = ({ path }) => {
    if (path === nodes) throw new KubeError(404, 'NotFound', 'the server could not find the requested resource');
    return list('7', [object('shop', '5')]);
  };
  const followed = follow(t, cluster.client, two, clock);
  await clock.advance(5000);
  watchOf(cluster, namespaces).send({ type: 'ADDED', object: object('bank', '8') });
  await clock.advance(5000);
  assert.deepEqual(followed.batches, []);
  assert.match(followed.state('Node')?.problem ?? '', /does not know v1\/Node; install it/);
  assert.equal(followed.state('Namespace')?.synced, true);
  cluster.answer = () => list('9', [object('n1', '9')]);
  await clock.advance(30_000);
  await followed.ready;
  assert.deepEqual(followed.batches.map(keysOf), [['+shop', '+bank', '+n1']]);
  assert.equal(followed.state('Node')?.problem, undefined);
});

test('an empty cluster is handed on too', async (t) => {
  const cluster = createScriptedCluster();
  const followed = follow(t, cluster.client, one);
  await followed.ready;
  assert.deepEqual(followed.batches, [[]]);
});

test('nothing is handed on while the Mesh cannot be read, which is told; then all of it, and what breaks later holds nothing up', async (t) => {
  const [cluster, clock] = [createScriptedCluster(), createTestClock()];
  const meshes = '/apis/weft.dev/v1alpha1/meshes';
  const mesh = (resourceVersion: string, spec: object) => ({
    ...{ apiVersion: 'weft.dev/v1alpha1', kind: 'Mesh', metadata: { name: 'default', uid: 'm', resourceVersion }, spec },
  });
  cluster.answer = ({ path }) => list('7', path === meshes ? [mesh('5', { mtls: 'Stirct' })] : [object('shop', '5')]);
  const kinds: Parsers = { ...one, 'weft.dev/v1alpha1/Mesh': parsers['weft.dev/v1alpha1/Mesh'] ?? assert.fail() };
  const followed = follow(t, cluster.client, kinds, clock);
  await clock.advance(5000);
  assert.deepEqual([followed.batches, followed.heldUp], [[], ['spec.mtls']]);
  watchOf(cluster, meshes).send({ type: 'MODIFIED', object: mesh('8', { trustDomain: 5 }) });
  await clock.advance(5000);
  assert.deepEqual([followed.batches, followed.heldUp], [[], ['spec.mtls', 'spec.trustDomain']]);
  watchOf(cluster, meshes).send({ type: 'MODIFIED', object: mesh('9', { mtls: 'Strict' }) });
  await followed.ready;
  assert.deepEqual(followed.batches.map(keysOf), [['+shop', '+default']]);
  assert.deepEqual(followed.heldUp, ['spec.mtls', 'spec.trustDomain', '']);
  watchOf(cluster, meshes).send({ type: 'MODIFIED', object: mesh('10', { mtls: 'Stirct' }) });
  await followed.until(() => followed.diagnostics().length === 1);
  assert.equal(followed.heldUp.length, 3);
  assert.equal(Object(followed.held.get('Mesh default')).mtls, 'Strict');
});

test('a list is read page by page, and begun again when a page has expired', async (t) => {
  const cluster = createScriptedCluster();
  let hasExpired = false;
  cluster.answer = ({ query }) => {
    if (!query?.['continue']) return list('5', [object('a', '1')], 'second');
    if (hasExpired) return list('5', [object('b', '2')]);
    hasExpired = true;
    throw expired();
  };
  const followed = follow(t, cluster.client, one);
  await followed.ready;
  assert.deepEqual(keysOf(followed.batches[0]), ['+a', '+b']);
  const pages = [`GET ${namespaces}?limit=500`, `GET ${namespaces}?limit=500&continue=second`];
  assert.deepEqual(cluster.log, [...pages, ...pages, `WATCH ${namespaces} 5`]);
});

test('a watch that ends goes on from the last version that was heard of, that of a bookmark too', async (t) => {
  const [cluster, clock] = [createScriptedCluster(), createTestClock()];
  const followed = follow(t, cluster.client, one, clock);
  await clock.advance(20_000);
  watchOf(cluster, namespaces).send({ type: 'ADDED', object: object('a', '12') });
  watchOf(cluster, namespaces).send({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '30' } } });
  watchOf(cluster, namespaces).end();
  await clock.advance(0);
  watchOf(cluster, namespaces).fail(new Error('reset'));
  await clock.advance(500);
  assert.deepEqual(
    cluster.log.filter((line) => line.startsWith('WATCH')),
    [1, 30, 30].map((version) => `WATCH ${namespaces} ${version}`),
  );
  await followed.until(() => followed.held.has('Namespace a'));
});

test('a version that is forgotten leads to a new list, of which the difference is handed on and nothing else', async (t) => {
  const [cluster, clock] = [createScriptedCluster(), createTestClock()];
  cluster.answer = () => list('5', [object('kept', '1'), object('changed', '2'), object('gone', '3')]);
  const followed = follow(t, cluster.client, one, clock);
  await clock.advance(10);
  await followed.ready;
  cluster.answer = () => list('90', [object('kept', '1'), object('changed', '80', { a: 'b' }), object('new', '85')]);
  watchOf(cluster, namespaces).fail(expired());
  await clock.advance(0);
  await followed.until(() => followed.held.has('Namespace new'));
  assert.deepEqual(followed.batches.slice(1).map(keysOf), [['+changed', '+new', '-gone']]);
  assert.equal(followed.state('Namespace')?.problem, undefined);
  assert.equal(cluster.log.at(-1), `WATCH ${namespaces} 90`);
});

test('a burst of 50 changes is one', async (t) => {
  const cluster = createScriptedCluster();
  const followed = follow(t, cluster.client, one);
  await followed.ready;
  for (let index = 0; index < 50; index++) watchOf(cluster, namespaces).send({ type: 'ADDED', object: object(`n${index % 40}`, String(index + 2)) });
  await followed.until(() => followed.held.size === 40);
  assert.deepEqual(
    followed.batches.map(({ length }) => length),
    [0, 40],
  );
});

test('what is broken is told with the batch, and its last good version stays', async (t) => {
  const cluster = createScriptedCluster();
  cluster.answer = () => list('5', [object('a', '1', { tier: 'web' })]);
  const followed = follow(t, cluster.client, one);
  await followed.ready;
  watchOf(cluster, namespaces).send({ type: 'MODIFIED', object: object('a', '6', { tier: 7 }) });
  await followed.until(() => followed.diagnostics().length > 0);
  assert.deepEqual(
    followed.diagnostics().map(({ object: { kind, name }, field }) => `${kind} ${name} ${field}`),
    ['Namespace a metadata.labels.tier'],
  );
  assert.equal(followed.held.has('Namespace a'), true);
  watchOf(cluster, namespaces).send({ type: 'DELETED', object: object('a', '7', { tier: 7 }) });
  await followed.until(() => followed.diagnostics().length === 0 && !followed.held.has('Namespace a'));
});

test('failures are waited out longer and longer, up to half a minute, and by chance', async (t) => {
  const sleepsOf = async (luck: number) => {
    const [cluster, clock] = [createScriptedCluster(), createTestClock(luck)];
    cluster.answer = () => {
      throw new KubeError(403, 'Forbidden', 'namespaces is forbidden');
    };
    const followed = follow(t, cluster.client, one, clock);
    await clock.advance(300_000);
    assert.match(followed.state('Namespace')?.problem ?? '', /forbidden; grant the verbs list and watch/);
    const beats = [10_000, 2_000];
    return clock.sleeps.filter((ms) => !beats.includes(ms));
  };
  assert.deepEqual((await sleepsOf(0)).slice(0, 10), [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 15_000, 15_000]);
  assert.deepEqual((await sleepsOf(0.5)).slice(0, 10), [150, 300, 600, 1200, 2400, 4800, 9600, 19_200, 22_500, 22_500]);
});

test('a watch that is refused as expired time and again is waited out as well', async (t) => {
  const [cluster, clock] = [createScriptedCluster(), createTestClock()];
  cluster.accept = () => {
    throw expired();
  };
  const followed = follow(t, cluster.client, one, clock);
  await clock.advance(60_000);
  assert.ok(cluster.log.length < 40, `${cluster.log.length} requests in a minute`);
  assert.match(followed.state('Namespace')?.problem ?? '', /too old/);
});

test('a watch that hears nothing for a minute and a half is asked for anew', async (t) => {
  const [cluster, clock] = [createScriptedCluster(), createTestClock()];
  follow(t, cluster.client, one, clock);
  await clock.advance(80_000);
  watchOf(cluster, namespaces).send({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '4' } } });
  const first = watchOf(cluster, namespaces);
  await clock.advance(80_000);
  assert.equal(watchOf(cluster, namespaces), first);
  await clock.advance(30_000);
  assert.notEqual(watchOf(cluster, namespaces), first);
  assert.equal(
    cluster.log.findLast((line) => line.startsWith('WATCH')),
    `WATCH ${namespaces} 4`,
  );
});

test('after an outage nothing is slept through: failures are tried again at once, and silent watches are renewed', async (t) => {
  const [cluster, clock] = [createScriptedCluster(), createTestClock()];
  const followed = follow(t, cluster.client, two, clock);
  await clock.advance(1000);
  const silent = watchOf(cluster, namespaces);
  const away = () => {
    throw new Error('the API server cannot be reached');
  };
  [cluster.answer, cluster.accept] = [away, away];
  watchOf(cluster, nodes).fail(new Error('reset'));
  await clock.advance(200_000);
  assert.deepEqual([followed.state('Node')?.following, followed.state('Node')?.synced], [false, true]);
  [cluster.answer, cluster.accept] = [() => list('1'), () => undefined];
  await clock.advance(2500);
  assert.equal(followed.state('Node')?.following, true);
  assert.notEqual(watchOf(cluster, namespaces), silent);
});

test('what one kind can do again, the others try at once', async (t) => {
  const [cluster, clock] = [createScriptedCluster(), createTestClock()];
  cluster.answer = ({ path }) => {
    if (path === nodes) throw new KubeError(503, 'ServiceUnavailable', 'etcd is away');
    return list('1');
  };
  const followed = follow(t, cluster.client, two, clock);
  // By now the wait after a failure is 22 s, and the one under way has 15 s to go.
  await clock.advance(90_000);
  cluster.answer = () => list('1');
  watchOf(cluster, namespaces).fail(new Error('reset'));
  await clock.advance(1000);
  assert.equal(followed.state('Node')?.following, true);
});

test('once closed, nothing is called back and nothing asked for any more', async (t) => {
  const cluster = createScriptedCluster();
  const followed = follow(t, cluster.client, two);
  await followed.ready;
  const [watch] = cluster.watches();
  watch?.send({ type: 'ADDED', object: object('late', '2') });
  await followed.close();
  assert.deepEqual(cluster.watches(), []);
  const asked = cluster.log.length;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual([followed.batches.length, cluster.log.length], [1, asked]);
});

test('closing before the first sync lets go of those who wait', async (t) => {
  const cluster = createScriptedCluster();
  cluster.answer = () => {
    throw new Error('away');
  };
  const followed = follow(t, cluster.client, one);
  await followed.close();
  await followed.ready;
  assert.deepEqual(followed.batches, []);
});
