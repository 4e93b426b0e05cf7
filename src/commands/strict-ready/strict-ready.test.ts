/** `weft check --strict-ready` over a cluster made of answers; test/cluster has the real thing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answers, scriptedClient } from '../../../test/support/scripted-client.js';
import { KubeError } from '../../kubernetes/api.js';
import { maxPlaintextCallers, plaintextMemory } from '../../model/plaintext.js';
import { formatAge } from './age.js';
import { formatReadiness, type StrictReadiness } from './format.js';
import { exitCodeOf, readSince, readWatched, strictReadiness } from './run.js';

const now = Date.parse('2030-01-01T12:00:00Z');
const secondsAgo = (seconds: number) => now / 1000 - seconds;
const createdAgo = (seconds: number) => new Date(now - seconds * 1000).toISOString();

const service = (namespace: string, name: string, port: number, targetPort: number | string = port) => ({
  ...{ apiVersion: 'v1', kind: 'Service', metadata: { namespace, name } },
  spec: { clusterIP: 'None', selector: { app: name }, ports: [{ name: 'main', port, targetPort }] },
});

interface PodOptions {
  readonly app: string;
  readonly address: string;
  readonly isMeshed?: boolean;
  readonly hostNetwork?: boolean;
  readonly ageSeconds?: number;
  readonly ports?: readonly object[];
}

const pod = (namespace: string, name: string, { app, address, isMeshed = true, hostNetwork = false, ageSeconds = 7200, ports = [] }: PodOptions) => ({
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name, labels: { app }, creationTimestamp: createdAgo(ageSeconds) } },
  spec: {
    ...{ serviceAccountName: app, nodeName: 'node-1', hostNetwork, containers: [{ name: 'app', ports }] },
    ...(isMeshed ? { initContainers: [{ name: 'weft-proxy' }] } : {}),
  },
  status: { phase: 'Running', podIP: address },
});

const tls = (namespace: string, target: string, mode: string) => ({
  ...{ apiVersion: 'weft.dev/v1alpha1', kind: 'TrafficPolicy', metadata: { namespace, name: `tls-${target}` } },
  spec: { targetRefs: [{ kind: 'Service', name: target }], tls: { mode } },
});

const node = {
  ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' }, spec: { podCIDRs: ['10.1.0.0/24', 'fd01::/64'] } },
  status: { addresses: [{ type: 'InternalIP', address: '192.168.0.1' }] },
};

interface Objects {
  readonly services?: readonly object[];
  readonly pods?: readonly object[];
  readonly policies?: readonly object[];
  readonly meshes?: readonly object[];
}

const policiesPath = 'GET /apis/weft.dev/v1alpha1/trafficpolicies';

function cluster({ services = [service('shop', 'web', 80, 8080)], pods = [], policies = [], meshes = [] }: Objects): Answers {
  const list = (items: readonly object[]) => ({ metadata: {}, items });
  const web = pod('shop', 'web-1', { app: 'web', address: '10.1.0.10' });
  return {
    'GET /api/v1/services': list(services),
    'GET /api/v1/pods': list([web, ...pods]),
    'GET /api/v1/nodes': list([node]),
    [policiesPath]: list(policies),
    'GET /apis/weft.dev/v1alpha1/meshes': list(meshes),
  };
}

interface Call {
  readonly port: number;
  readonly address: string;
  /** Left out where the sidecar has forgotten it. */
  readonly times?: number;
  /** Left out where the sidecar does not know. */
  readonly secondsAgo?: number;
}

/** What a sidecar answers. */
function sidecar(podKey: string, calls: readonly Call[], uptime = 600): Answers {
  const [namespace, name] = podKey.split('/');
  const labels = ({ port, address }: Call) => `{port="${port}",source_address="${address}"}`;
  const lines = [
    '# TYPE envoy_plaintext_seen_total counter',
    ...calls.flatMap((call) => (call.times === undefined ? [] : [`envoy_plaintext_seen_total${labels(call)} ${call.times}`])),
    ...calls.flatMap((call) => (call.secondsAgo === undefined ? [] : [`envoy_plaintext_last_seen_seconds${labels(call)} ${secondsAgo(call.secondsAgo)}`])),
    `envoy_server_uptime{} ${uptime}`,
  ];
  return { [`GET /api/v1/namespaces/${namespace}/pods/${name}:15021/proxy/stats/plaintext`]: `${lines.join('\n')}\n` };
}

async function check(answers: Answers, namespace?: string, since = '24h'): Promise<StrictReadiness & { readonly exitCode: number; readonly text: string }> {
  const readiness = await strictReadiness(scriptedClient(answers), { namespace, since: readSince(since), watched: readWatched('10m'), now });
  return { ...readiness, exitCode: exitCodeOf(readiness), text: formatReadiness(readiness, now) };
}

test('a Service that nobody was seen to call in plaintext is ready, and for how long it was watched is told', async () => {
  const { services, exitCode, text } = await check({ ...cluster({}), ...sidecar('shop/web-1', []) });
  assert.deepEqual(services, [
    {
      ...{ service: 'shop/web', verdict: 'Ready', watchedSeconds: 600, problems: [] },
      ports: [{ port: 80, name: 'main', mode: 'Permissive', verdict: 'Ready', callers: [] }],
    },
  ]);
  assert.equal(exitCode, 0);
  assert.match(text, /^shop\/web +80 +Permissive +yes +10m +-$/m);
  assert.match(text, /^Ready, as far as was seen in the time under WATCHED: shop\/web\.$/m);
});

test('callers are told by name: Pods, Nodes, and what is neither', async () => {
  const pods = [
    pod('shop', 'web-2', { app: 'web', address: '10.1.0.11' }),
    pod('jobs', 'cron', { app: 'cron', address: '10.1.0.20', isMeshed: false }),
    pod('jobs', 'odd', { app: 'odd', address: 'fd01::21' }),
    pod('jobs', 'new', { app: 'new', address: '10.1.0.22', isMeshed: false, ageSeconds: 60 }),
    pod('jobs', 'host', { app: 'host', address: '192.168.0.1', isMeshed: false, hostNetwork: true }),
  ];
  const port = 8080;
  const { services, exitCode, text } = await check({
    ...cluster({ pods }),
    ...sidecar('shop/web-1', [
      { port, address: '10.1.0.20', times: 3, secondsAgo: 200 },
      { port, address: 'fd01::21', times: 1 },
      { port, address: '10.1.0.98', secondsAgo: 50_000 },
      { port, address: '10.1.0.22', times: 2, secondsAgo: 3600 },
      { port: 9999, address: '10.1.0.99', times: 1, secondsAgo: 1 },
    ]),
    ...sidecar('shop/web-2', [
      { port, address: '10.1.0.20', times: 4, secondsAgo: 100 },
      { port, address: '192.168.0.1', times: 1, secondsAgo: 1 },
      { port, address: '10.1.0.1', times: 1, secondsAgo: 1 },
      { port, address: 'fd01::1', times: 1, secondsAgo: 1 },
    ]),
  });
  assert.equal(exitCode, 1);
  const callers = services[0]?.ports[0]?.callers ?? [];
  const lastSeen = (seconds: number) => new Date(now - seconds * 1000).toISOString();
  assert.deepEqual(callers[0], {
    ...{ kind: 'Pod', name: 'jobs/cron', serviceAccount: 'cron', isMeshed: false },
    ...{ address: '10.1.0.20', timesSeen: 7, lastSeen: lastSeen(100) },
  });
  assert.deepEqual(Object.fromEntries(callers.map((caller) => [caller.address, 'name' in caller ? `${caller.kind} ${caller.name}` : caller.kind])), {
    '10.1.0.20': 'Pod jobs/cron',
    'fd01::21': 'Pod jobs/odd',
    '10.1.0.22': 'Unknown',
    '192.168.0.1': 'Node node-1',
    '10.1.0.1': 'Node node-1',
    'fd01::1': 'Node node-1',
  });
  assert.match(text, /^shop\/web +80 +Permissive +no +10m +Pod jobs\/cron, as cron +10\.1\.0\.20 +7x +1m ago$/m);
  assert.match(text, /Pod jobs\/odd, as odd, meshed +fd01::21 +1x +-$/m);
  for (const remedy of ['A Pod without a sidecar: mesh it', 'A meshed Pod: ', 'A Node: ', 'Not of the cluster now: ']) assert.ok(text.includes(remedy), remedy);
});

test('whoever may have called lately counts', async () => {
  const answers = { ...cluster({}), ...sidecar('shop/web-1', [{ port: 8080, address: '10.1.0.20', times: 3 }]) };
  assert.equal((await check(answers, undefined, '1m')).exitCode, 1);
});

test('--since leaves out who has stopped, and what was not watched for so long is not claimed', async () => {
  const answers = { ...cluster({}), ...sidecar('shop/web-1', [{ port: 8080, address: '10.1.0.20', times: 3, secondsAgo: 700 }], 86_400) };
  assert.equal((await check(answers)).exitCode, 1);
  const { services, exitCode } = await check(answers, undefined, '10m');
  assert.equal(exitCode, 0);
  assert.equal(services[0]?.watchedSeconds, 600);
  assert.equal((await check(answers)).services[0]?.watchedSeconds, plaintextMemory, 'sidecars forget');
});

const path = 'GET /api/v1/namespaces/shop/pods/web-1:15021/proxy/stats/plaintext';

const silent: Readonly<Record<string, { readonly answers: Answers; readonly says: RegExp }>> = {
  'that does not answer': { answers: { [path]: new Error('no answer within 10000 ms') }, says: /Pod shop\/web-1 does not answer: no answer within/ },
  'of an earlier version': { answers: { [path]: new KubeError(404, 'Unknown', 'status 404') }, says: /earlier version of Weft.*start the Pod again/ },
  'that is gone': { answers: {}, says: /is gone by now; check again/ },
  'that one may not ask': { answers: { [path]: new KubeError(403, 'Forbidden', 'no') }, says: /the right to get pods\/proxy in namespace shop/ },
  'that answers something else': { answers: { [path]: 'hello' }, says: /answers with something else than statistics/ },
  'that has just started': { answers: sidecar('shop/web-1', [], 599), says: /Pod shop\/web-1 has looked for 9m only, and --watched is 10m/ },
  'that has seen too many': {
    answers: sidecar(
      'shop/web-1',
      Array.from({ length: maxPlaintextCallers }, (_, index) => ({ port: 1, address: `10.9.0.${index}`, times: 1, secondsAgo: 5 })),
    ),
    says: /called by more addresses than its sidecar remembers/,
  },
};

for (const [what, { answers, says }] of Object.entries(silent)) {
  test(`with a sidecar ${what} a Service is never called ready`, async () => {
    const { services, exitCode, text } = await check({ ...cluster({}), ...answers });
    assert.equal(services[0]?.verdict, 'Unknown');
    assert.match(services[0]?.problems.join() ?? '', says);
    assert.match(text, says);
    assert.equal(exitCode, 3);
  });
}

test('a caller that was seen counts, whatever else is not known', async () => {
  const pods = [pod('shop', 'web-2', { app: 'web', address: '10.1.0.11' })];
  const seen = sidecar('shop/web-1', [{ port: 8080, address: '10.1.0.20', times: 3, secondsAgo: 700 }]);
  const { services, exitCode } = await check({ ...cluster({ pods }), ...seen });
  assert.equal(exitCode, 1);
  assert.equal(services[0]?.problems.length, 1);
});

test('Services that are Strict, and those without meshed Pods, are told apart', async () => {
  const services = [service('shop', 'web', 80, 8080), service('shop', 'safe', 443), service('shop', 'old', 80), service('jobs', 'none', 80)];
  const pods = [pod('shop', 'safe-1', { app: 'safe', address: '10.1.0.12' }), pod('shop', 'old-1', { app: 'old', address: '10.1.0.13', isMeshed: false })];
  const answers = { ...cluster({ services, pods, policies: [tls('shop', 'safe', 'Strict')] }), ...sidecar('shop/web-1', []) };
  const { services: found, exitCode, text } = await check(answers);
  assert.deepEqual(Object.fromEntries(found.map(({ service: name, verdict }) => [name, verdict])), {
    'jobs/none': 'Unmeshed',
    'shop/old': 'Unmeshed',
    'shop/safe': 'Strict',
    'shop/web': 'Ready',
  });
  assert.equal(exitCode, 0, 'the sidecar of a Strict Service is not even asked');
  assert.match(text, /^shop\/safe +443 +Strict +is Strict +- +-$/m);
  assert.match(text, /^1 ready, 0 not ready, 0 not known, 1 Strict already, 2 without a Pod that has a sidecar\.$/m);
});

test('a Mesh that is Strict makes all Strict but what a policy leaves open', async () => {
  const meshes = [{ apiVersion: 'weft.dev/v1alpha1', kind: 'Mesh', metadata: { name: 'default' }, spec: { mtls: 'Strict' } }];
  assert.equal((await check(cluster({ meshes }))).services[0]?.verdict, 'Strict');
  const open = { ...cluster({ meshes, policies: [tls('shop', 'web', 'Disabled')] }), ...sidecar('shop/web-1', []) };
  assert.deepEqual(
    (await check(open)).services[0]?.ports.map(({ mode, verdict }) => [mode, verdict]),
    [['Disabled', 'Ready']],
  );
});

test('a port by name is looked for by its number, and callers count for every Service that leads to it', async () => {
  const services = [service('shop', 'web', 80, 'main'), { ...service('shop', 'web-too', 81, 8080), spec: { ...service('shop', 'web', 81, 8080).spec } }];
  const pods = [pod('shop', 'web-1', { app: 'web', address: '10.1.0.10', ports: [{ name: 'main', containerPort: 8080 }] })];
  const { services: found } = await check({
    ...cluster({ services, pods }),
    ...sidecar('shop/web-1', [{ port: 8080, address: '10.1.0.20', times: 1, secondsAgo: 1 }]),
  });
  assert.deepEqual(
    found.map(({ service: name, verdict }) => [name, verdict]),
    [
      ['shop/web', 'NotReady'],
      ['shop/web-too', 'NotReady'],
    ],
  );
});

test('where nothing was looked at nothing is ready', async () => {
  const { exitCode, text } = await check({ ...cluster({}), ...sidecar('shop/web-1', []) }, 'shpo');
  assert.equal(exitCode, 3);
  assert.match(text, /No Service of namespace shpo has a Pod with a sidecar/);
});

test('a policy that cannot be read leaves the answer open', async () => {
  const policies = [tls('shop', 'web', 'strict')];
  const { exitCode, problems } = await check({ ...cluster({ policies }), ...sidecar('shop/web-1', []) });
  assert.equal(exitCode, 3);
  assert.match(problems.join(), /TrafficPolicy shop\/tls-web spec\.tls\.mode/);
});

test('who may not list is told what it takes; a cluster without the CRDs has no policies', async () => {
  const refused = { ...cluster({}), 'GET /api/v1/nodes': new KubeError(403, 'Forbidden', 'nodes is forbidden') };
  await assert.rejects(check(refused), /nodes is forbidden; who runs weft check --strict-ready must be allowed to list .*pods\/proxy/);
  const { [policiesPath]: _, ...without } = cluster({});
  assert.equal((await check({ ...without, ...sidecar('shop/web-1', []) })).exitCode, 0);
});

test('--since and --watched are durations that sidecars can answer for', () => {
  assert.equal(readSince(undefined), 86_400_000);
  assert.equal(readSince('90m'), 5_400_000);
  for (const bad of ['30s', '25h', 'a while']) assert.throws(() => readSince(bad), /write a duration from 1m to 24h/);
  assert.equal(readWatched('0s'), 0);
  assert.throws(() => readWatched('13h'), /--watched is "13h"; write a duration up to 12h/);
});

test('ages are told in their largest unit', () => {
  assert.deepEqual([0, 59, 60, 3599, 3600, 86_399, 200_000].map(formatAge), ['0s', '59s', '1m', '59m', '1h', '23h', '2d']);
});
