/** The whole of `weft serve --kubernetes` over objects that an older, laxer CustomResourceDefinition let in. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { printCrds } from '../../src/features/crd.js';
import { fieldOf, isPlain, listOf, textOf } from '../../src/kubernetes/plain.js';
import { type Apiserver, startApiserver } from '../support/apiserver.js';
import { applyObject, renderChart } from '../support/chart.js';
import { temporaryFolder } from '../support/envoy.js';
import { eventually } from '../support/mesh.js';
import { freePorts } from '../support/port.js';

const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const apiVersion = 'weft.dev/v1alpha1';
const system = 'weft-system';

/** Everything of the chart that is no workload; the schemas of Weft's kinds let anything in. */
async function install({ client, namespace }: Apiserver): Promise<void> {
  for (const name of [system, 'shop']) await namespace(name);
  const kept = /^(ServiceAccount|Secret|(Cluster)?Role(Binding)?|Lease|Service)$/;
  for (const { kind, raw } of await renderChart(system)) if (kept.test(kind)) await applyObject(client, raw);
  for (const crd of printCrds()) await applyObject(client, lax(crd));
}

function lax(crd: object): Readonly<Record<string, unknown>> {
  const text = JSON.stringify(crd, (name, value) => (name === 'openAPIV3Schema' ? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } : value));
  return JSON.parse(text);
}

/** A replica as a process of its own. */
async function startReplica(t: TestContext, apiserver: Apiserver) {
  const [xds = 0, admin = 0, webhook = 0, metrics = 0] = await freePorts(4);
  const logFile = join(await temporaryFolder(t), 'weft.log');
  const log = await open(logFile, 'a');
  const kubeconfig = await apiserver.kubeconfigAs({ user: `system:serviceaccount:${system}:weft-controller` });
  const ports = Object.entries({ listen: xds, admin, webhook, metrics }).flatMap(([flag, port]) => [`--${flag}`, `127.0.0.1:${port}`]);
  const args = [main, 'serve', '--kubernetes', '--kubeconfig', kubeconfig, '--namespace', system, '--pod-name', 'weft-1', ...ports];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', log.fd] });
  t.after(() => child.kill('SIGKILL'));
  await log.close();
  const get = (port: number, path: string) => fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
  return {
    /** The status and body of /readyz. */
    readyz: async () => {
      const answer = await get(metrics, '/readyz');
      return answer && { status: answer.status, body: await answer.text() };
    },
    /** Whether anything answers at the xDS port, whatever it says. */
    isServing: () =>
      fetch(`http://127.0.0.1:${xds}`).then(
        () => true,
        (error: unknown) => !JSON.stringify(Object(error).cause?.code ?? '').includes('ECONNREFUSED'),
      ),
    log: () => readFile(logFile, 'utf8'),
  };
}

test('a Mesh that cannot be read keeps a replica from serving, and says so; a policy that cannot be read closes what it protects, and says so', {
  timeout: 120_000,
}, async (t) => {
  const apiserver = await startApiserver(t);
  const { client } = apiserver;
  await install(apiserver);
  const object = (kind: string, metadata: object, spec: object) => ({ apiVersion, kind, metadata, spec });
  const apply = (raw: Readonly<Record<string, unknown>>) =>
    eventually(() =>
      applyObject(client, raw).then(
        () => true,
        () => false,
      ),
    );
  await apply(object('Mesh', { name: 'default' }, { mtls: 'Stirct' }));
  const broken = { targetRefs: [{ kind: 'Service', name: 'web' }], authorization: { rules: [{ name: 'a', action: 'Dney' }] } };
  await apply(object('TrafficPolicy', { name: 'p', namespace: 'shop' }, broken));
  await client.request({
    method: 'POST',
    path: '/api/v1/namespaces/shop/services',
    body: { metadata: { name: 'web' }, spec: { ports: [{ name: 'http', port: 80 }] } },
  });

  const replica = await startReplica(t, apiserver);
  const words = /not serving: Mesh default spec\.mtls: is not one of Permissive, Strict; did you mean Strict\?/;
  const held = await eventually(async () => {
    const answer = await replica.readyz();
    return answer?.body.includes('Mesh') && answer;
  });
  assert.equal(held.status, 503);
  assert.match(held.body, words);
  assert.equal(await replica.isServing(), false);
  assert.match(await replica.log(), /nothing is served until this object can be read/);
  const event = await eventually(async () => {
    const events = listOf(await client.request({ method: 'GET', path: '/apis/events.k8s.io/v1/namespaces/default/events' }), 'items');
    return events.find((each) => textOf(each, 'reason') === 'NotServing');
  });
  assert.match(textOf(event, 'note'), words);
  assert.equal(textOf(fieldOf(event, 'regarding'), 'kind'), 'Mesh');

  await apply(object('Mesh', { name: 'default' }, { mtls: 'Strict' }));
  await eventually(async () => (await replica.readyz())?.status === 200);
  assert.equal(await replica.isServing(), true);
  const accepted = await eventually(async () => {
    const found = await client.request({ method: 'GET', path: `/apis/${apiVersion}/namespaces/shop/trafficpolicies/p` });
    const [ancestor] = listOf(isPlain(found) ? found['status'] : undefined, 'ancestors');
    return listOf(ancestor, 'conditions').find((each) => textOf(each, 'type') === 'Accepted');
  });
  assert.equal(textOf(accepted, 'status'), 'False');
  assert.match(
    textOf(accepted, 'message'),
    /^spec\.authorization: is of a policy that cannot be read, .* until then every call to them is denied: Service web; correct/,
  );
  assert.match(textOf(accepted, 'message'), /spec\.authorization\.rules\[0\]\.action: is not one of Allow, Deny/);
});
