/** Weft's own port, as somebody on the pod network finds it who is not the sidecar that he says he is. */
import assert from 'node:assert/strict';
import type { Attempt, AttemptOutcome } from './apps/stranger.js';
import { attempt, get } from './harness/calls.js';
import { apply, exec, kubectl, rolledOut, waitFor } from './harness/kubectl.js';
import { deployment, service } from './harness/manifests.js';
import { makeNamespace } from './harness/namespace.js';
import { ensureInstalled, weftNamespace } from './harness/release.js';
import { story } from './harness/story.js';
import { deltaMethod, resigned, trustedPod } from './harness/strangers.js';

const namespace = 'weft-test-strangers';
const address = `weft-controller.${weftNamespace}.svc:15010`;
const listeners = 'type.googleapis.com/envoy.config.listener.v3.Listener';
const discovery = 'envoy.service.discovery.v3';

const aggregated = [deltaMethod, `/${discovery}.AggregatedDiscoveryService/StreamAggregatedResources`];

/** What is served, what belongs to the services of an xDS server, and what nobody has heard of. */
const methods = [
  ...aggregated,
  '/envoy.service.status.v3.ClientStatusDiscoveryService/StreamClientStatus',
  '/envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus',
  '/grpc.health.v1.Health/Check',
  '/grpc.health.v1.Health/Watch',
  ...['Listener', 'Route', 'Cluster', 'Endpoint'].flatMap((name) =>
    ['Stream', 'Delta', 'Fetch'].map((verb) => `/envoy.service.${name.toLowerCase()}.v3.${name}DiscoveryService/${verb}${name}s`),
  ),
  '/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets',
  '/envoy.service.secret.v3.SecretDiscoveryService/FetchSecrets',
  '/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats',
  '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  '/no.such.Service/Method',
];

const me = { namespace, pod: 'stranger' };
const nodeId = `${namespace}/stranger`;

/** How each attempt ended, for a message that names it. */
function described(attempts: readonly Attempt[], outcomes: readonly AttemptOutcome[]): readonly string[] {
  return attempts.map(({ method }, index) => `${method}: ${outcomes[index]?.code} ${outcomes[index]?.hasAnswer ? 'with an answer' : ''}`.trim());
}

story('a stranger gets nothing on any method', [namespace], async (t) => {
  await ensureInstalled();
  await makeNamespace(t, namespace, true);
  await apply([
    service(namespace, 'web', [{ name: 'http', port: 80, targetPort: 8080 }]),
    deployment(namespace, { name: 'web', args: ['http', '8080'] }),
    ...['stranger', 'another', 'gone'].map((name) => trustedPod(namespace, name)),
  ]);
  await rolledOut(namespace, 'deployment/web');
  for (const name of ['stranger', 'another', 'gone']) await waitFor(namespace, `pod/${name}`, 'condition=Ready');
  const read = (pod: string, file: string) => exec(namespace, pod, ['cat', file]);
  const own = await read('stranger', '/var/run/weft/token');
  const ofGone = await read('gone', '/var/run/weft/token');
  await kubectl(['-n', namespace, 'delete', 'pod', 'gone', '--grace-period=0', '--force']);

  const call = (method: string, more: Partial<Attempt>): Attempt => ({ address, method, nodeId, typeUrl: listeners, ...more });

  await t.test('who is what he says he is, is served: the others are refused for what they are', async () => {
    for (const token of [own, await resigned(own, { issued: -60, expires: 600 })]) {
      const attempts = [...aggregated, '/grpc.health.v1.Health/Check'].map((method) => call(method, { authorization: `Bearer ${token}` }));
      const outcomes = await attempt(me, attempts);
      assert.ok(
        outcomes.every(({ hasAnswer }) => hasAnswer),
        described(attempts, outcomes).join('\n'),
      );
    }
  });

  const strangers: Readonly<Record<string, () => Promise<Partial<Attempt>>>> = {
    'without a token': async () => ({}),
    'with a token that is none': async () => ({ authorization: 'Bearer nothing' }),
    'with a password': async () => ({ authorization: `Basic ${Buffer.from('admin:admin').toString('base64')}` }),
    'with a token for another audience': async () => ({ authorization: `Bearer ${await read('stranger', '/var/run/other/token')}` }),
    'with a token for the API server': async () => ({
      authorization: `Bearer ${await read('stranger', '/var/run/secrets/kubernetes.io/serviceaccount/token')}`,
    }),
    'with a token that has expired': async () => ({ authorization: `Bearer ${await resigned(own, { issued: -7200, expires: -3600 })}` }),
    'with a token whose signature is that of another': async () => ({ authorization: `Bearer ${own.replace(/\.[^.]*$/, `.${ofGone.split('.')[2]}`)}` }),
    'with a token of no pod': async () => ({
      authorization: `Bearer ${(await kubectl(['-n', namespace, 'create', 'token', 'default', '--audience=weft'])).trim()}`,
    }),
    'with a token of a pod that is gone': async () => ({ authorization: `Bearer ${ofGone}`, nodeId: `${namespace}/gone` }),
    'in plaintext': async () => ({ authorization: `Bearer ${own}`, plaintext: true }),
  };
  for (const [who, credentials] of Object.entries(strangers)) {
    await t.test(who, async () => {
      const more = await credentials();
      await refused(
        who,
        methods.map((method) => call(method, more)),
      );
    });
  }

  await t.test("with another pod's token, or a node id that is not its pod's", async () => {
    const another = { authorization: `Bearer ${await read('another', '/var/run/weft/token')}` };
    const mine = { authorization: `Bearer ${own}` };
    const ids = [`${namespace}/another`, `${namespace}/web`, 'default/stranger', 'stranger', '', `${nodeId}/`, `${weftNamespace}/weft-controller`];
    await refused("with another's identity", [
      ...aggregated.map((method) => call(method, another)),
      ...ids.flatMap((id) => aggregated.map((method) => call(method, { ...mine, nodeId: id }))),
    ]);
  });

  await t.test('a sidecar is told nothing of others by the status service', async () => {
    const [outcome] = await attempt(me, [call('/envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus', { authorization: `Bearer ${own}` })]);
    assert.ok(!outcome?.text.includes(`${namespace}/web`), outcome?.text);
  });

  await t.test('the report of a replica is for its peers alone', async () => {
    for (const headers of [{}, { authorization: `Bearer ${own}` }]) {
      const { status, body } = await get(me, `https://weft-controller.${weftNamespace}.svc/report`, { headers });
      assert.ok(status === 401 || status === 403, `${status} ${body}`);
    }
  });

  async function refused(who: string, attempts: readonly Attempt[]): Promise<void> {
    const outcomes = await attempt(me, attempts);
    const codes = [...new Set(outcomes.map(({ code }) => code))].map((code) => `${outcomes.filter((one) => one.code === code).length} ${code}`);
    process.stdout.write(`# ${who}: ${codes.join(', ')}\n`);
    const bad = described(attempts, outcomes).filter(
      (_, index) => outcomes[index]?.hasAnswer !== false || outcomes[index]?.code === 'OK' || outcomes[index]?.code === 'DEADLINE_EXCEEDED',
    );
    assert.deepEqual(bad, []);
  }
});
