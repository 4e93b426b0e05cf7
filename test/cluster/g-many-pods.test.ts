/** Three hundred pods at once. They need not run: no node has the label that they ask for. */
import assert from 'node:assert/strict';
import { parseMetrics, total } from './harness/envoy-stats.js';
import { apply, field, kubectl, podsOf } from './harness/kubectl.js';
import { deployment } from './harness/manifests.js';
import { megabytes, memoryOf } from './harness/memory.js';
import { makeNamespace } from './harness/namespace.js';
import { ensureInstalled } from './harness/release.js';
import { story } from './harness/story.js';
import { until } from './harness/until.js';

const namespace = 'weft-test-many';
const pods = 300;

story('300 pods created at once are all injected, in time', [namespace], async (t) => {
  await ensureInstalled();
  await makeNamespace(t, namespace, true);
  // The first calls of a process are compiled and cached; memory is compared after them.
  await createPods('warm', 20);
  const before = await memoryOf('injector');
  const [timesBefore, failedBefore] = await Promise.all([webhookTimes(), failedCalls()]);
  const begin = performance.now();
  await createPods('many', pods);
  process.stdout.write(`# ${pods} pods were there after ${((performance.now() - begin) / 1000).toFixed(1)} s\n`);
  const names = await kubectl(['-n', namespace, 'get', 'pods', '-l', 'app=many', '-o', 'jsonpath={range .items[*]}{.spec.initContainers[*].name}{"\\n"}{end}']);
  const injected = names.split('\n').filter((line) => line.includes('weft-proxy'));
  assert.equal(injected.length, pods);

  const p99 = percentile(timesBefore, await webhookTimes(), 0.99);
  process.stdout.write(`# webhook, as the API server saw it: 99 of 100 calls took at most ${p99} s (its own steps are 0.5, 1, 2.5 and 10 s)\n`);
  // The steps are too wide to say more, but the API server gives up a call that takes longer than the webhook's time limit, and the pod is then tried again.
  assert.ok(Number(await field('default', 'mutatingwebhookconfiguration/weft-injector', '{.webhooks[0].timeoutSeconds}')) <= 5);
  const late = (await failedCalls()) - failedBefore;
  assert.ok(late <= pods / 100, `${late} calls took five seconds`);

  const after = await memoryOf('injector');
  const grown = after.map((bytes, index) => bytes - (before[index] ?? 0));
  process.stdout.write(
    `# memory of the injectors: ${after.map(megabytes).join(' and ')}, ${grown.map(megabytes).join(' and ')} more than before the ${pods} pods\n`,
  );
  for (const bytes of grown) assert.ok(bytes < pods * 50_000, `${megabytes(bytes)} more`);
});

async function createPods(name: string, count: number): Promise<void> {
  await apply([deployment(namespace, { name, args: ['idle'], replicas: count, spec: { nodeSelector: { 'weft-test/nowhere': 'yes' } } })]);
  await until(`${count} pods`, async () => (await podsOf(namespace, `app=${name}`)).length === count, { timeoutMs: 180_000 });
}

/** How many calls of Weft's mutating webhook took at most so many seconds, as the API server counts. */
async function webhookTimes(): Promise<ReadonlyMap<number, number>> {
  const metrics = parseMetrics(await kubectl(['get', '--raw', '/metrics']));
  const times = new Map<number, number>();
  for (const [name, value] of metrics) {
    if (!name.startsWith('apiserver_admission_webhook_admission_duration_seconds_bucket') || !name.includes('weft') || !name.includes('type="admit"')) continue;
    const bound = Number((/le="([^"]+)"/.exec(name)?.[1] ?? '').replace('+Inf', 'Infinity'));
    times.set(bound, (times.get(bound) ?? 0) + value);
  }
  return times;
}

/** How many calls of the webhook the API server has got no answer to. */
async function failedCalls(): Promise<number> {
  return total(
    parseMetrics(await kubectl(['get', '--raw', '/metrics'])),
    'apiserver_admission_webhook_rejection_count',
    'weft',
    'error_type="calling_webhook_error"',
  );
}

/** The smallest bound within which so large a share of the calls between two counts lies. */
function percentile(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>, share: number): number {
  const calls = [...after].map(([bound, count]): readonly [number, number] => [bound, count - (before.get(bound) ?? 0)]).sort(([a], [b]) => a - b);
  const all = calls.at(-1)?.[1] ?? 0;
  assert.ok(all >= pods, `the API server has counted ${all} calls of the webhook`);
  return calls.find(([, count]) => count >= share * all)?.[0] ?? Number.POSITIVE_INFINITY;
}
