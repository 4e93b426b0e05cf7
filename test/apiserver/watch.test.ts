import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Arbitrary, array, asyncProperty, boolean, assert as check, constantFrom, integer, oneof, record } from 'fast-check';
import { parsers } from '../../src/commands/parsers.js';
import { printCrds } from '../../src/features/crd.js';
import { type KubeClient, KubeError } from '../../src/kubernetes/api.js';
import { isPlain } from '../../src/kubernetes/plain.js';
import { type Clock, systemClock } from '../../src/sources/kubernetes/clock.js';
import { collectionPath } from '../../src/sources/kubernetes/collection.js';
import { type Apiserver, startApiserver } from '../support/apiserver.js';
import { type Cuttable, cuttable } from '../support/cuttable.js';
import { type Followed, follow } from '../support/followed.js';

const services = '/api/v1/namespaces/shop/services';
const policies = '/apis/weft.dev/v1alpha1/namespaces/shop/trafficpolicies';
const slices = '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices';
const pods = '/api/v1/namespaces/shop/pods';

const serviceSpec = (port: number) => ({ ports: [{ name: 'http', port }] });

function make(client: KubeClient, path: string, name: string, rest: object): Promise<unknown> {
  const metadata = 'metadata' in rest && isPlain(rest.metadata) ? rest.metadata : {};
  return client.request({ method: 'POST', path, body: { ...rest, metadata: { ...metadata, name } } });
}

function patch(client: KubeClient, path: string, name: string, body: object): Promise<unknown> {
  return client.request({ method: 'PATCH', path: `${path}/${name}`, patch: 'merge', body });
}

function remove(client: KubeClient, path: string, name: string): Promise<unknown> {
  return client.request({ method: 'DELETE', path: `${path}/${name}`, query: { gracePeriodSeconds: '0' } });
}

async function installCrds(client: KubeClient): Promise<void> {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  for (const body of printCrds()) await client.request({ method: 'POST', path, body });
}

interface World {
  readonly apiserver: Apiserver;
  /** Not concerned when the network of those who follow is cut. */
  readonly client: KubeClient;
  readonly followed: Followed;
  readonly network: Cuttable;
}

/** An API server with the kinds of Weft and the namespace shop, which is followed and has synced. */
async function setUp(t: TestContext, clock?: Clock): Promise<World> {
  const apiserver = await startApiserver(t);
  const { client } = apiserver;
  await installCrds(client);
  await apiserver.namespace('shop');
  const network = cuttable(client);
  const followed = follow(t, network.client, parsers, clock);
  await followed.ready;
  return { apiserver, client, followed, network };
}

/** What a fresh list of every kind says. */
async function freshList(client: KubeClient): Promise<ReadonlyMap<string, unknown>> {
  const objects = new Map<string, unknown>();
  for (const [id, parser] of Object.entries(parsers)) {
    const answer = await client.request({ method: 'GET', path: collectionPath(id) });
    const items = isPlain(answer) && Array.isArray(answer['items']) ? answer['items'] : [];
    for (const item of items) {
      const change = parser.parse(item).object;
      if (change?.object) objects.set(`${change.kind} ${change.key}`, change.object);
    }
  }
  return objects;
}

const portOf = (followed: Followed, name: string) => JSON.stringify(followed.held.get(`Service shop/${name}`) ?? null).match(/"port":(\d+)/)?.[1];

test('a kind that is not installed is waited for, and then everything comes at once', async (t) => {
  const apiserver = await startApiserver(t);
  await apiserver.namespace('shop');
  const followed = follow(t, apiserver.client, parsers);
  await followed.until(() => /install it: weft crd/.test(followed.state('TrafficPolicy')?.problem ?? ''));
  await followed.until(() => ['Service', 'Pod', 'Node', 'Namespace', 'EndpointSlice'].every((kind) => followed.state(kind)?.following));
  assert.deepEqual(followed.batches, []);
  await installCrds(apiserver.client);
  await followed.ready;
  assert.equal(followed.batches.length, 1);
  assert.deepEqual(new Map(followed.held), await freshList(apiserver.client));
});

test('what is created, changed and deleted is heard', async (t) => {
  const { client, followed } = await setUp(t);
  await make(client, services, 'web', { spec: serviceSpec(80) });
  await followed.until(() => portOf(followed, 'web') === '80');
  await patch(client, services, 'web', { spec: serviceSpec(81) });
  await followed.until(() => portOf(followed, 'web') === '81');
  await make(client, policies, 'p', { apiVersion: 'weft.dev/v1alpha1', kind: 'TrafficPolicy', spec: { targetRefs: [{ kind: 'Service', name: 'web' }] } });
  await followed.until(() => followed.held.has('TrafficPolicy shop/p'));
  await remove(client, services, 'web');
  await remove(client, policies, 'p');
  await followed.until(() => !followed.held.has('Service shop/web') && !followed.held.has('TrafficPolicy shop/p'));
});

test('more than a page is read whole', async (t) => {
  const apiserver = await startApiserver(t);
  const { client } = apiserver;
  await apiserver.namespace('shop');
  const names = Array.from({ length: 1100 }, (_, index) => `s${index}`);
  const endpoints = { metadata: { labels: { 'kubernetes.io/service-name': 'web' } }, addressType: 'IPv4', endpoints: [], ports: [] };
  for (let start = 0; start < names.length; start += 50) {
    await Promise.all(names.slice(start, start + 50).map((name) => make(client, slices, name, endpoints)));
  }
  const only = Object.fromEntries(Object.entries(parsers).filter(([id]) => id.endsWith('/EndpointSlice')));
  const followed = follow(t, client, only);
  await followed.ready;
  assert.deepEqual([...followed.held.keys()].sort(), names.map((name) => `EndpointSlice shop/${name}`).sort());
});

test('while the API server is gone nothing is lost, and what changed meanwhile arrives when it is back', async (t) => {
  const { apiserver, client, followed } = await setUp(t);
  await make(client, services, 'web', { spec: serviceSpec(80) });
  await make(client, services, 'gone', { spec: serviceSpec(80) });
  await followed.until(() => followed.held.has('Service shop/web') && followed.held.has('Service shop/gone'));
  await apiserver.kill();
  await followed.until(() => ['Service', 'TrafficPolicy', 'Pod'].every((kind) => followed.state(kind)?.following === false));
  assert.match(followed.state('Service')?.problem ?? '', /cannot be reached/);
  assert.equal(followed.held.has('Service shop/web'), true);
  await apiserver.start();
  await patch(client, services, 'web', { spec: serviceSpec(81) });
  await remove(client, services, 'gone');
  await followed.until(() => portOf(followed, 'web') === '81' && !followed.held.has('Service shop/gone'));
  assert.deepEqual(new Map(followed.held), await freshList(client));
});

test('versions that are forgotten while the network is cut lead to a new list, and only differences are handed on', async (t) => {
  const { apiserver, client, followed, network } = await setUp(t);
  for (const name of ['web', 'gone', 'kept']) await make(client, services, name, { spec: serviceSpec(80) });
  await followed.until(() => ['web', 'gone', 'kept'].every((name) => followed.held.has(`Service shop/${name}`)));
  const before = followed.batches.length;
  network.cut();
  await patch(client, services, 'web', { spec: serviceSpec(81) });
  await remove(client, services, 'gone');
  // The API server has recent versions in memory, and loses them by starting anew; etcd loses them by compaction.
  await apiserver.kill();
  await apiserver.compact();
  await apiserver.start();
  network.restore();
  await followed.until(() => portOf(followed, 'web') === '81' && !followed.held.has('Service shop/gone'));
  assert.ok(network.refusals.includes(410), `the API server refused with ${network.refusals}`);
  const changed = followed.batches.slice(before).flatMap((batch) => batch.filter(({ kind }) => kind === 'Service').map(({ key }) => key));
  assert.deepEqual(changed.sort(), ['shop/gone', 'shop/web']);
});

test('an API server that hangs for 10 s is waited for, and followed again when it goes on', async (t) => {
  const { apiserver, client, followed } = await setUp(t);
  await make(client, services, 'web', { spec: serviceSpec(80) });
  await followed.until(() => portOf(followed, 'web') === '80');
  apiserver.stop();
  await assert.rejects(client.request({ method: 'GET', path: '/version', timeoutMs: 10_000 }), /no answer within 10000 ms/);
  assert.equal(portOf(followed, 'web'), '80');
  apiserver.continue();
  await patch(client, services, 'web', { spec: serviceSpec(81) });
  await followed.until(() => portOf(followed, 'web') === '81');
});

type Op = { readonly cut: boolean } | { readonly path: keyof typeof bodies; readonly name: string; readonly value: number };

/** Objects of each kind that differ by a number; 0 stands for none. */
const bodies = {
  [services]: (value: number) => ({ spec: serviceSpec(value) }),
  [pods]: (value: number) => ({ metadata: { labels: { value: String(value) } }, spec: { containers: [{ name: 'c', image: 'i' }] } }),
  [slices]: (value: number) => ({
    metadata: { labels: { 'kubernetes.io/service-name': 'a' } },
    ...{ addressType: 'IPv4', ports: [], endpoints: [{ addresses: [`10.1.0.${value}`] }] },
  }),
  [policies]: (value: number) => ({
    ...{ apiVersion: 'weft.dev/v1alpha1', kind: 'TrafficPolicy' },
    spec: { targetRefs: [{ kind: 'Service', name: 'a' }], timeouts: { request: `${value}s` } },
  }),
} as const;

const op: Arbitrary<Op> = oneof(
  { weight: 1, arbitrary: record({ cut: boolean() }) },
  {
    weight: 6,
    arbitrary: record({ path: constantFrom(services, pods, slices, policies), name: constantFrom('a', 'b', 'c'), value: integer({ min: 0, max: 5 }) }),
  },
);

/** Of a Pod only the labels can be changed. */
function changeOf(path: keyof typeof bodies, value: number): object {
  return path === pods ? { metadata: bodies[pods](value).metadata } : bodies[path](value);
}

async function perform(client: KubeClient, network: Cuttable, done: Op): Promise<void> {
  if ('cut' in done) return done.cut ? network.cut() : network.restore();
  const { path, name, value } = done;
  const unless = (status: number) => (error: unknown) => (error instanceof KubeError && error.status === status ? 'so' : Promise.reject(error));
  if (value === 0) await remove(client, path, name).catch(unless(404));
  else if ((await make(client, path, name, bodies[path](value)).catch(unless(409))) === 'so') await patch(client, path, name, changeOf(path, value));
}

test('whatever happens, what was heard in the end is what a fresh list says', async (t) => {
  const hasty: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 20, signal) };
  const { client, followed, network } = await setUp(t, hasty);
  await check(
    asyncProperty(array(op, { maxLength: 15 }), async (ops) => {
      for (const each of ops) await perform(client, network, each);
      network.restore();
      const wanted = await freshList(client);
      const settled = followed.until(() => isDeepStrictEqual(new Map(followed.held), wanted));
      await Promise.race([settled, delay(20_000, undefined, { ref: false })]);
      assert.deepEqual(new Map(followed.held), wanted);
    }),
    { numRuns: 25, endOnFailure: true, includeErrorInReport: true },
  );
});
