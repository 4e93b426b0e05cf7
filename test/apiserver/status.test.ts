import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { parsers } from '../../src/commands/parsers.js';
import { observedParsers } from '../../src/commands/serve/observed-parsers.js';
import { gatherFacts } from '../../src/commands/serve/status-facts.js';
import { createCompiler } from '../../src/compile/compiler.js';
import { printCrds } from '../../src/features/crd.js';
import { type KubeClient, KubeError } from '../../src/kubernetes/api.js';
import { fieldOf, isPlain, listOf, textOf } from '../../src/kubernetes/plain.js';
import type { Diagnostic } from '../../src/model/diagnostic.js';
import { createStore } from '../../src/sources/store.js';
import { createBrokenPolicies } from '../../src/status/broken.js';
import { createEvents } from '../../src/status/events.js';
import { createLease } from '../../src/status/lease.js';
import { createStatusLoop } from '../../src/status/loop.js';
import { createMeshObjects } from '../../src/status/mesh-status.js';
import { createPeers, type PeerReport } from '../../src/status/peers.js';
import type { Timers } from '../../src/status/timers.js';
import type { UnmeshedPod } from '../../src/status/unmeshed.js';
import { createStatusWriter } from '../../src/status/writer.js';
import { startApiserver } from '../support/apiserver.js';
import type { Cleanup } from '../support/envoy.js';

/** Everything that is a matter of seconds takes a tenth of them. */
const fast: Timers = {
  now: () => performance.now() * 10,
  after: (ms, then) => {
    const timer = setTimeout(then, ms / 10);
    return () => clearTimeout(timer);
  },
};

/** In the real measure of time a takeover is due after six seconds: a busy machine must not look like a dead replica. */
const rules = { durationMs: 60_000, renewDeadlineMs: 40_000, retryMs: 2_000 };

const group = '/apis/weft.dev/v1alpha1';

const apiserver = await startApiserver({ after });
const { client } = apiserver;
const get = (path: string) => client.request({ method: 'GET', path });
const post = (path: string, body: object) => client.request({ method: 'POST', path, body });
for (const crd of printCrds()) await post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd);
for (const plural of ['trafficpolicies', 'meshes']) await eventually(() => get(`${group}/${plural}`), Boolean);

/** A namespace for an application and one for Weft. */
interface Place {
  readonly shop: string;
  readonly weft: string;
  readonly policies: string;
  readonly lease: string;
}

/** A pair of namespaces that no other test has, with a Service `web`. */
async function setUp(name: string): Promise<Place> {
  const [shop, weft] = [`shop-${name}`, `weft-${name}`];
  for (const namespace of [shop, weft]) await apiserver.namespace(namespace);
  await post(`/api/v1/namespaces/${shop}/services`, { metadata: { name: 'web' }, spec: { ports: [{ name: 'http', port: 80 }] } });
  const lease = `/apis/coordination.k8s.io/v1/namespaces/${weft}/leases`;
  return { shop, weft, policies: `${group}/namespaces/${shop}/trafficpolicies`, lease };
}

const policy = (name: string, target: string) => ({
  ...{ apiVersion: 'weft.dev/v1alpha1', kind: 'TrafficPolicy', metadata: { name } },
  spec: { targetRefs: [{ kind: 'Service', name: target }], timeouts: { request: '1s' } },
});

/** Asks until the answer is as it should be; the runner's time limit ends what never comes. */
async function eventually<T>(ask: () => Promise<T>, is: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask().catch((error: unknown) => {
      if (error instanceof KubeError) return undefined;
      throw error;
    });
    if (answer !== undefined && is(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A replica of Weft, as far as status goes: what its proxies say, and which pods are unmeshed, is up to the test. */
function startReplica(t: Cleanup, { shop, weft, policies }: Place, identity: string) {
  const broken = createBrokenPolicies();
  const meshes = createMeshObjects();
  const observed = observedParsers(parsers, broken, meshes);
  const store = createStore();
  const compiler = createCompiler();
  const errors: string[] = [];
  const world = {
    report: { policies: [] } satisfies PeerReport as PeerReport,
    unmeshed: [] satisfies UnmeshedPod[] as readonly UnmeshedPod[],
    dead: false,
    rounds: 0,
  };
  let revision = 0;
  let found: readonly Diagnostic[] = [];
  const reach: KubeClient = { ...client, request: (sent) => (world.dead ? Promise.reject(new Error('the network is cut')) : client.request(sent)) };
  const onError = (error: unknown) => errors.push(String(error));
  const contest = { client: reach, namespace: weft, name: 'weft-controller', identity, clock: Date.now, timers: fast, rules, onChange: () => {}, onError };
  const lease = createLease(contest);
  const writer = createStatusWriter({ client: reach, isHolder: lease.isHolder, timers: fast, clock: Date.now, onError });
  const loop = createStatusLoop({
    ...{ lease, writer, timers: fast, onError, revision: () => revision },
    events: createEvents({ client: reach, identity, timers: fast, clock: Date.now, onError }),
    peers: createPeers({ peers: () => [], fetchReport: async () => undefined, timers: fast, onError }),
    facts: () =>
      gatherFacts({
        world: () => ({ mesh: store.mesh, services: store.services(), policies: store.policies() }),
        compiler,
        found: () => found,
        broken,
        meshes,
      }),
    report: async () => {
      world.rounds++;
      return world.report;
    },
    unmeshed: () => world.unmeshed,
  });
  const stop = async () => {
    loop.close();
    writer.close();
    await lease.close();
  };
  t.after(stop);
  /** As the source does it with what it lists. */
  const see = async () => {
    const lists = {
      [`/api/v1/namespaces/${shop}/services`]: 'v1/Service',
      [policies]: `weft.dev/v1alpha1/TrafficPolicy`,
      [`${group}/meshes`]: 'weft.dev/v1alpha1/Mesh',
    };
    for (const [path, kind] of Object.entries(lists)) {
      const slash = kind.lastIndexOf('/');
      const type = { apiVersion: kind.slice(0, slash), kind: kind.slice(slash + 1) };
      for (const item of listOf(await client.request({ method: 'GET', path }), 'items')) {
        const { object, diagnostics } = observed[kind]?.parse({ ...type, ...(isPlain(item) ? item : {}) }) ?? { diagnostics: [] };
        found = [...found, ...diagnostics];
        if (object) store.apply([object]);
      }
    }
    revision++;
  };
  const roundsPass = async (count: number) => {
    const until = world.rounds + count;
    await eventually(
      async () => world.rounds,
      (rounds) => rounds >= until,
    );
  };
  return { lease, writer, loop, errors, world, see, stop, roundsPass };
}

function conditionsOf(object: unknown): Readonly<Record<string, string>> {
  const [ancestor] = listOf(fieldOf(object, 'status'), 'ancestors');
  const entries = listOf(ancestor, 'conditions').map((each) => [textOf(each, 'type'), `${textOf(each, 'status')}/${textOf(each, 'reason')}`]);
  return Object.fromEntries(entries);
}

function timeOf(object: unknown, type: string): string {
  const [ancestor] = listOf(fieldOf(object, 'status'), 'ancestors');
  return textOf(
    listOf(ancestor, 'conditions').find((each) => textOf(each, 'type') === type),
    'lastTransitionTime',
  );
}

const counts = (shop: string, acknowledged: number, rejected: number) => ({
  policy: `${shop}/good`,
  generation: 1,
  matched: acknowledged + rejected,
  acknowledged,
  rejected,
  pending: 0,
});

test('conditions appear, are written by the holder only and on change only, and the next holder goes on when one dies', async (t) => {
  const place = await setUp('conditions');
  const { policies } = place;
  await post(policies, policy('good', 'web'));
  await post(policies, policy('lost', 'nowhere'));
  await post(`${group}/meshes`, { apiVersion: 'weft.dev/v1alpha1', kind: 'Mesh', metadata: { name: 'default' } });
  const a = startReplica(t, place, 'weft-controller-a');
  await eventually(async () => a.lease.isHolder(), Boolean);
  const b = startReplica(t, place, 'weft-controller-b');
  await Promise.all([a.see(), b.see()]);

  const good = await eventually(
    () => get(`${policies}/good`),
    (object) => conditionsOf(object)['Programmed'] === 'Unknown/NoProxies',
  );
  assert.deepEqual(conditionsOf(good), { Accepted: 'True/Accepted', ResolvedRefs: 'True/ResolvedRefs', Programmed: 'Unknown/NoProxies' });
  assert.equal(fieldOf(fieldOf(good, 'status'), 'observedGeneration'), 1);
  const lost = await eventually(
    () => get(`${policies}/lost`),
    (object) => 'Accepted' in conditionsOf(object),
  );
  assert.equal(conditionsOf(lost)['Accepted'], 'False/TargetNotFound');
  const mesh = await eventually(
    () => get(`${group}/meshes/default`),
    (object) => fieldOf(object, 'status') !== undefined,
  );
  assert.match(JSON.stringify(fieldOf(mesh, 'status')), /"status":"True","type":"Accepted"/);

  for (const replica of [a, b]) replica.world.report = { policies: [counts(place.shop, 2, 0)] };
  const programmed = await eventually(
    () => get(`${policies}/good`),
    (object) => conditionsOf(object)['Programmed'] === 'True/Programmed',
  );
  assert.equal(timeOf(programmed, 'Accepted'), timeOf(good, 'Accepted'));
  const versionOf = (object: unknown) => textOf(fieldOf(object, 'metadata'), 'resourceVersion');
  await a.roundsPass(5);
  assert.equal(versionOf(await get(`${policies}/good`)), versionOf(programmed));
  assert.deepEqual([a.writer.writes(), b.writer.writes()], [4, 0]);

  a.world.dead = true;
  await eventually(async () => b.lease.isHolder(), Boolean);
  assert.equal(a.lease.isHolder(), false);
  b.world.report = {
    policies: [{ ...counts(place.shop, 1, 1), lastRejection: { proxy: 'shop/x', resource: 'VirtualHost y', stanza: 'timeouts', message: 'no' } }],
  };
  const partly = await eventually(
    () => get(`${policies}/good`),
    (object) => conditionsOf(object)['Programmed'] === 'False/PartiallyProgrammed',
  );
  assert.match(JSON.stringify(partly), /"lastRejection":\{"message":"no","proxy":"shop\/x","resource":"VirtualHost y","stanza":"timeouts"\}/);
  await b.roundsPass(3);
  assert.deepEqual([a.writer.writes(), b.writer.writes()], [4, 1]);
  assert.deepEqual(b.errors, []);
});

test('what other controllers have written stays, a conflict is read again, and who is deleted is let go', async (t) => {
  const place = await setUp('others');
  const { policies } = place;
  await post(policies, policy('good', 'web'));
  const replica = startReplica(t, place, 'weft-controller-a');
  await replica.see();
  const before = await eventually(
    () => get(`${policies}/good`),
    (object) => 'Accepted' in conditionsOf(object),
  );
  const other = { ancestorRef: { name: 'x' }, controllerName: 'example.com/other' };
  const status = { ancestors: [...listOf(fieldOf(before, 'status'), 'ancestors'), other] };
  await client.request({ method: 'PATCH', path: `${policies}/good/status`, patch: 'merge', body: { status } });
  replica.world.report = { policies: [counts(place.shop, 1, 0)] };
  const controllers = (object: unknown) => listOf(fieldOf(object, 'status'), 'ancestors').map((each) => textOf(each, 'controllerName'));
  const after = await eventually(
    () => get(`${policies}/good`),
    (object) => JSON.stringify(object).includes('"reason":"Programmed"'),
  );
  assert.deepEqual(controllers(after), ['example.com/other', 'weft.dev/controller']);
  await client.request({ method: 'DELETE', path: `${policies}/good` });
  replica.world.report = { policies: [counts(place.shop, 2, 0)] };
  await replica.roundsPass(5);
  assert.deepEqual(replica.errors, []);
});

test('of two contenders one holds the Lease, which may be missing or as the chart makes it, and a close hands it over', async (t) => {
  const place = await setUp('lease');
  const first = startReplica(t, place, 'weft-controller-a');
  await eventually(async () => first.lease.isHolder(), Boolean);
  const made = await get(`${place.lease}/weft-controller`);
  assert.match(JSON.stringify(made), /"holderIdentity":"weft-controller-a","leaseDurationSeconds":60.*"leaseTransitions":1/);
  const second = startReplica(t, place, 'weft-controller-b');
  await eventually(
    async () => second.lease.holder(),
    (holder) => holder === 'weft-controller-a',
  );
  await first.stop();
  await eventually(async () => second.lease.isHolder(), Boolean);
  assert.match(JSON.stringify(await get(`${place.lease}/weft-controller`)), /"holderIdentity":"weft-controller-b".*"leaseTransitions":2/);
  assert.deepEqual([first.errors, second.errors], [[], []]);

  await client.request({ method: 'DELETE', path: `${place.lease}/weft-controller` });
  await second.stop();
  await client.request({ method: 'DELETE', path: `${place.lease}/weft-controller` }).catch(() => undefined);
  await post(place.lease, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'weft-controller', labels: { made: 'by-chart' } } });
  const third = startReplica(t, place, 'weft-controller-c');
  await eventually(async () => third.lease.isHolder(), Boolean);
  assert.equal(fieldOf(fieldOf(fieldOf(await get(`${place.lease}/weft-controller`), 'metadata'), 'labels'), 'made'), 'by-chart');
});

test('a pod that is not meshed gets one Event, whichever replica tells', async () => {
  const { shop } = await setUp('events');
  const pod = await post(`/api/v1/namespaces/${shop}/pods`, { metadata: { name: 'bare' }, spec: { containers: [{ name: 'app', image: 'app' }] } });
  const unmeshed = { pod: `${shop}/bare`, uid: textOf(fieldOf(pod, 'metadata'), 'uid'), reason: 'HostNetwork', message: 'it cannot be' } as const;
  const errors: string[] = [];
  for (const identity of ['a', 'b']) {
    const events = createEvents({ client, identity, timers: fast, clock: Date.now, onError: (error) => errors.push(String(error)) });
    await events.report([unmeshed]);
    await events.report([unmeshed]);
  }
  const found = listOf(await get(`/apis/events.k8s.io/v1/namespaces/${shop}/events`), 'items');
  assert.deepEqual(
    found.map((each) => [textOf(each, 'reason'), textOf(each, 'note'), textOf(fieldOf(each, 'regarding'), 'name'), textOf(each, 'reportingInstance')]),
    [['NotMeshed', 'HostNetwork: it cannot be', 'bare', 'a']],
  );
  assert.deepEqual(errors, []);
});
