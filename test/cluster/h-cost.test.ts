/** What a sidecar costs, beside a plain Envoy in the same place. */
import assert from 'node:assert/strict';
import type { Manifest } from '../support/manifests.js';
import { envoyStats, total } from './harness/envoy-stats.js';
import { apply, field, kubectl, waitFor } from './harness/kubectl.js';
import { pod, service } from './harness/manifests.js';
import { makeNamespace } from './harness/namespace.js';
import { ensureInstalled } from './harness/release.js';
import { story } from './harness/story.js';
import { until } from './harness/until.js';

const namespace = 'weft-test-cost';
const runs = 5;

story('memory and start-up time of a sidecar', [namespace], async (t) => {
  await ensureInstalled();
  await makeNamespace(t, namespace, true);
  await apply([service(namespace, 'web', [{ name: 'http', port: 80, targetPort: 8080 }])]);
  // The first pod of each kind pays for what the node then keeps.
  const kinds: Readonly<Record<string, (name: string) => Manifest>> = { 'no sidecar': bare, 'a plain Envoy': withPlainEnvoy, "Weft's sidecar": meshed };
  for (const make of Object.values(kinds)) await timed(make, 'first');
  const seconds = new Map<string, number>();
  for (const [kind, make] of Object.entries(kinds)) {
    const times: number[] = [];
    for (let run = 0; run < runs; run++) times.push(await timed(make, `${run}`));
    seconds.set(kind, median(times));
  }
  process.stdout.write(`# from creation to Ready, median of ${runs}: ${[...seconds].map(([kind, value]) => `${kind} ${value.toFixed(2)} s`).join(', ')}\n`);

  await apply([withPlainEnvoy('envoy'), meshed('meshed')]);
  for (const name of ['envoy', 'meshed']) await waitFor(namespace, `pod/${name}`, 'condition=Ready');
  const [plain, sidecar] = [await workingSet('envoy', 'envoy'), await workingSet('meshed', 'weft-proxy')];
  const [heapPlain, heapSidecar] = [await heap('envoy'), await heap('meshed')];
  process.stdout.write(`# memory (working set): a plain Envoy ${megabytes(plain)}, Weft's sidecar ${megabytes(sidecar)}\n`);
  process.stdout.write(`# allocated by Envoy itself: a plain one ${megabytes(heapPlain)}, Weft's sidecar ${megabytes(heapSidecar)}\n`);
  const starts = [await initialization('envoy'), await initialization('meshed')].map((ms) => `${ms.toFixed(0)} ms`);
  process.stdout.write(
    `# from Envoy's start until it is initialized: a plain one ${starts[0]}, Weft's sidecar, which waits for its first configuration, ${starts[1]}\n`,
  );
  assert.ok(sidecar - plain < 30e6, 'a sidecar that knows nobody takes little more than an Envoy does');
});

const readiness = { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 1 };
const app = { args: ['http', '8080'], readiness };
const bare = (name: string): Manifest => pod(namespace, { name, ...app, isMeshed: false });
const meshed = (name: string): Manifest => pod(namespace, { name, ...app });

/** Envoy with nothing but a listener for readiness and statistics, where Weft puts its own. */
function withPlainEnvoy(name: string): Manifest {
  const probe = { httpGet: { path: '/ready', port: 15_021 }, periodSeconds: 1, failureThreshold: 60 };
  const envoy = {
    ...{ name: 'envoy', image: 'docker.io/envoyproxy/envoy:v1.40.0', imagePullPolicy: 'IfNotPresent', restartPolicy: 'Always', startupProbe: probe },
    args: [
      'envoy',
      '--concurrency',
      '2',
      '--disable-hot-restart',
      '--config-yaml',
      JSON.stringify({ admin: { address: { socket_address: { address: '0.0.0.0', port_value: 15_021 } } } }),
    ],
  };
  return pod(namespace, { name, ...app, isMeshed: false, spec: { initContainers: [envoy] } });
}

/** Seconds from the creation of the pod until it is Ready; it is removed then. */
async function timed(make: (name: string) => Manifest, name: string): Promise<number> {
  const begin = performance.now();
  await apply([make(`timed-${name}`)]);
  await waitFor(namespace, `pod/timed-${name}`, 'condition=Ready');
  const seconds = (performance.now() - begin) / 1000;
  await kubectl(['-n', namespace, 'delete', `pod/timed-${name}`, '--grace-period=0', '--force']);
  return seconds;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** What the kubelet says a container uses, once it has looked. */
async function workingSet(podName: string, container: string): Promise<number> {
  const node = await field(namespace, `pod/${podName}`, '{.spec.nodeName}');
  return until(`the kubelet has measured ${podName}`, async () => {
    const summary: unknown = JSON.parse(await kubectl(['get', '--raw', `/api/v1/nodes/${node}/proxy/stats/summary`]));
    return bytesIn(summary, podName, container);
  });
}

function bytesIn(summary: unknown, podName: string, container: string): number | undefined {
  const ofPod = list(summary, 'pods').find((one) => property(property(one, 'podRef'), 'name') === podName);
  const ofContainer = list(ofPod, 'containers').find((one) => property(one, 'name') === container);
  const bytes = property(property(ofContainer, 'memory'), 'workingSetBytes');
  return typeof bytes === 'number' && bytes > 0 ? bytes : undefined;
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined;
}

function list(value: unknown, name: string): readonly unknown[] {
  const found = property(value, name);
  return Array.isArray(found) ? found : [];
}

async function heap(podName: string): Promise<number> {
  return total(await envoyStats(namespace, podName), 'envoy_server_memory_allocated');
}

/** Envoy tells a histogram some seconds after it was written to. */
function initialization(podName: string): Promise<number> {
  return until(`${podName} tells how long it took`, async () => {
    const stats = await envoyStats(namespace, podName);
    return total(stats, 'envoy_server_initialization_time_ms_count') === 1 && total(stats, 'envoy_server_initialization_time_ms_sum');
  });
}
