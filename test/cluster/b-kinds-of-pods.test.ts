/** Pods of every kind: probed in every way, restricted, ending, excepted from the mesh, and those that cannot be in it. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Manifest } from '../support/manifests.js';
import { get, seen } from './harness/calls.js';
import { run } from './harness/command.js';
import { apply, field, kubectl, logs, rolledOut, waitFor } from './harness/kubectl.js';
import { type App, deployment, httpReady, pod, service } from './harness/manifests.js';
import { makeNamespace } from './harness/namespace.js';
import { ensureInstalled } from './harness/release.js';
import { story } from './harness/story.js';
import { until } from './harness/until.js';

const namespace = 'weft-test-kinds';
const client = { namespace, pod: 'client' };
const sidecar = '127.0.0.6';

story('pods of every kind', [namespace], async (t) => {
  await ensureInstalled();
  await makeNamespace(t, namespace, true);
  await apply([
    service(namespace, 'web', [{ name: 'http', port: 80, targetPort: 8080 }]),
    deployment(namespace, { name: 'web', args: ['http', '8080'], readiness: httpReady(8080) }),
    pod(namespace, { name: 'client', args: ['idle'] }),
  ]);
  await rolledOut(namespace, 'deployment/web');
  await ready('client');

  await t.test('probes by HTTP, TCP, gRPC and a command find an app that is there', async () => {
    const every = { periodSeconds: 1, timeoutSeconds: 5 };
    const probes: Readonly<Record<string, { readonly args: readonly string[]; readonly probe: Manifest }>> = {
      http: { args: ['http', '8080'], probe: { httpGet: { path: '/', port: 8080 } } },
      tcp: { args: ['tcp', '7000'], probe: { tcpSocket: { port: 7000 } } },
      grpc: { args: ['grpc', '50051'], probe: { grpc: { port: 50051 } } },
      exec: { args: ['http', '8080'], probe: { exec: { command: ['app', 'call', '{"http":{"url":"http://127.0.0.1:8080/"}}'] } } },
    };
    const pods = Object.entries(probes).map(([kind, { args, probe }]) => {
      const all = { readinessProbe: { ...probe, ...every }, livenessProbe: { ...probe, ...every }, startupProbe: { ...probe, ...every, failureThreshold: 60 } };
      return pod(namespace, { name: `probed-${kind}`, args, container: all });
    });
    await apply(pods);
    for (const kind of Object.keys(probes)) await ready(`probed-${kind}`);
  });

  await t.test('and they do not take the sidecar for the app when that is not there', async () => {
    const probes: Readonly<Record<string, Manifest>> = {
      http: { httpGet: { path: '/', port: 9999 } },
      tcp: { tcpSocket: { port: 9999 } },
      grpc: { grpc: { port: 9999 } },
    };
    await apply(
      Object.entries(probes).map(([kind, probe]) => pod(namespace, { name: `absent-${kind}`, args: ['idle'], readiness: { ...probe, periodSeconds: 1 } })),
    );
    for (const kind of Object.keys(probes)) {
      await until(`the ${kind} probe has failed`, async () => (await failures(`absent-${kind}`)) >= 3);
      assert.equal(await field(namespace, `pod/absent-${kind}`, '{.status.conditions[?(@.type=="Ready")].status}'), 'False');
    }
  });

  await t.test('an app without any rights', async () => {
    const securityContext = { runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000, seccompProfile: { type: 'RuntimeDefault' } };
    const container = { securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } } };
    await apply([
      pod(namespace, {
        name: 'restricted',
        args: ['http', '8080'],
        readiness: httpReady(8080),
        spec: { securityContext, automountServiceAccountToken: false },
        container,
      }),
    ]);
    await ready('restricted');
    assert.equal((await seen({ namespace, pod: 'restricted' }, 'http://web/')).peer, sidecar);
  });

  await t.test('a pod that ends finishes what it has begun, and can still call others', async () => {
    await apply([
      service(namespace, 'ending', [{ name: 'http', port: 80, targetPort: 8080 }]),
      pod(namespace, { name: 'ending', args: ['http', '8080'], readiness: httpReady(8080), env: { LAST_CALL: 'http://web/log/farewell' } }),
    ]);
    await ready('ending');
    await until('the Service knows it', async () => (await get(client, 'http://ending/')).status === 200);
    const slow = get(client, 'http://ending/log/slow?delay=8000');
    await until('the request is under way', async () => (await logs(namespace, 'ending')).includes('/log/slow'));
    await kubectl(['-n', namespace, 'delete', 'pod', 'ending', '--wait=false']);
    assert.equal((await slow).status, 200);
    await kubectl(['-n', namespace, 'wait', 'pod/ending', '--for=delete', '--timeout=60s']);
    assert.match(await logs(namespace, 'deployment/web'), /^\/log\/farewell$/m);
  });

  await t.test('an excluded port is reached directly', async () => {
    await apply([annotated({ name: 'direct', args: ['http', '8080'], readiness: httpReady(8080) }, { 'weft.dev/exclude-inbound-ports': '8080' })]);
    await ready('direct');
    const address = await field(namespace, 'pod/direct', '{.status.podIP}');
    assert.notEqual((await seen(client, `http://${address}:8080/`)).peer, sidecar);
  });

  await t.test("a pod on its host's network runs without a sidecar, and is reported", async () => {
    await apply([pod(namespace, { name: 'host', args: ['idle'], spec: { hostNetwork: true } })]);
    await ready('host');
    assert.equal(await field(namespace, 'pod/host', '{.spec.initContainers}'), '');
    await until('weft status reports it', async () => (await weft('status', '-o', 'json')).includes(`${namespace}/host`));
    await until('an Event tells it', async () =>
      (await kubectl(['-n', namespace, 'get', 'events', '--field-selector', 'involvedObject.name=host'])).includes('NotMeshed'),
    );
  });

  await t.test('a pod that runs as the user of the sidecar is refused, and told why', async () => {
    const intruder = pod(namespace, { name: 'intruder', args: ['idle'], spec: { securityContext: { runAsUser: 1337 } } });
    await assert.rejects(apply([intruder]), /runs as user 1337.*set securityContext\.runAsUser to another number/s);
  });

  await t.test('a namespace whose Pod Security level forbids the sidecar says so, and other pods run there', (t) => strictNamespace(t));

  await t.test('what no Service has is called as without the mesh, or refused where the Mesh says so', async (t) => {
    await apply([pod(namespace, { name: 'outsider', args: ['http', '8080'], isMeshed: false, readiness: httpReady(8080) })]);
    await ready('outsider');
    const url = `http://${await field(namespace, 'pod/outsider', '{.status.podIP}')}:8080/`;
    assert.equal((await get(client, url)).status, 200);
    t.after(() => kubectl(['delete', 'mesh', 'default', '--ignore-not-found']).then(() => undefined));
    await apply([{ apiVersion: 'weft.dev/v1alpha1', kind: 'Mesh', metadata: { name: 'default' }, spec: { egress: 'RegistryOnly' } }]);
    await until('it is refused', async () => (await get(client, url)).status !== 200);
    assert.equal((await get(client, 'http://web/')).status, 200, 'Services are called as before');
    await kubectl(['delete', 'mesh', 'default']);
    await until('it is called again', async () => (await get(client, url)).status === 200);
  });
});

async function strictNamespace(t: TestContext): Promise<void> {
  const strict = 'weft-test-strict';
  await makeNamespace(t, strict, true);
  await kubectl(['label', 'namespace', strict, 'pod-security.kubernetes.io/enforce=baseline']);
  const refused = await until('it is refused for its level', async () => {
    const error = await apply([pod(strict, { name: 'meshed', args: ['idle'] })]).catch((reason: unknown) => reason);
    return error instanceof Error && error.message.includes('NET_ADMIN') && error.message;
  });
  assert.match(refused, /pod-security\.kubernetes\.io\/enforce.*set that label to "privileged"/s);
  await apply([pod(strict, { name: 'plain', args: ['idle'], isMeshed: false })]);
  await waitFor(strict, 'pod/plain', 'condition=Ready');
}

/** How often a probe of the app has failed. Words that differ in a port make events of their own. */
async function failures(name: string): Promise<number> {
  const selector = `reason=Unhealthy,involvedObject.name=${name},involvedObject.fieldPath=spec.containers{app}`;
  const counts = await kubectl(['-n', namespace, 'get', 'events', '--field-selector', selector, '-o', 'jsonpath={.items[*].count}']);
  return counts.split(' ').reduce((sum, count) => sum + Number(count), 0);
}

function ready(name: string): Promise<void> {
  return waitFor(namespace, `pod/${name}`, 'condition=Ready', 60);
}

function weft(...args: readonly string[]): Promise<string> {
  return run(process.execPath, ['dist/src/main.js', ...args]);
}

function annotated(app: App, annotations: Readonly<Record<string, string>>): Manifest {
  const made = pod(namespace, app);
  return { ...made, metadata: { ...Object(made['metadata']), annotations } };
}
