/** The dashboard and the alerts ask for metrics that there are, and telemetry for variables that a sidecar has. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { watchCaExpiry } from '../../src/commands/serve/ca-expiry.js';
import { controllerFamilies } from '../../src/commands/serve/families.js';
import { identityVariables } from '../../src/compile/telemetry-calls.js';
import { countCalls } from '../../src/compile/telemetry-metrics.js';
import { createInstruments } from '../../src/observe/instruments.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { createRegistry } from '../../src/serve/registry.js';

/** Every name of a metric of Weft, or of Envoy, in a text. */
function metricsIn(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/\b(?:envoy|weft)_[a-z_]+/g)].map(([name]) => name));
}

/** Those that the controller registers, as Prometheus calls their series. */
async function ofController(): Promise<readonly string[]> {
  const metrics = createMetrics();
  createInstruments(metrics);
  const nothing = () => [];
  const sources = { watch: nothing, unmeshed: nothing, loop: { summary: nothing }, writer: { writes: () => 0 }, lease: { isHolder: () => true } };
  const clock = { compilations: () => 0, compileSeconds: () => 0, clock: () => 0 };
  metrics.add(controllerFamilies({ ...sources, ...clock, registry: createRegistry() }));
  const expiry = watchCaExpiry({ authorities: [], logger: { warn: assert.fail, error: assert.fail }, clock: () => 0 });
  expiry.close();
  metrics.add(expiry.families);
  return [...(await metrics.text()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = '', type = '']) => seriesOf(name, type));
}

function seriesOf(name: string, type: string): readonly string[] {
  return type === 'histogram' ? ['bucket', 'sum', 'count'].map((part) => `${name}_${part}`) : [name];
}

/** Those that a sidecar counts for Weft. */
function ofSidecars(): readonly string[] {
  const calls = { direction: 'inbound', source: '', destination: '', fields: {} } as const;
  return (['http', 'tcp'] as const).flatMap((protocol) => {
    const { stats_scope, counters, histograms } = Object(countCalls({ ...calls, protocol }).typed_config);
    const names = (stats: readonly { readonly stat: { readonly name: string } }[] = []) => stats.map(({ stat }) => `envoy_${stats_scope.prefix}_${stat.name}`);
    return [...names(counters), ...names(histograms).flatMap((name) => seriesOf(name, 'histogram'))];
  });
}

/** Envoy's own, without being told; test/envoy/telemetry.test.ts sees it. */
const ofEnvoy = ['envoy_server_stats_overflow_counter'];

test('the dashboard and the alerts ask for metrics that there are', async () => {
  const made = new Set([...(await ofController()), ...ofSidecars(), ...ofEnvoy]);
  assert.ok(made.size > 25);
  for (const file of ['charts/weft/files/dashboard.json', 'charts/weft/templates/alerts.yaml']) {
    const wanted = metricsIn(await readFile(file, 'utf8'));
    assert.ok(wanted.size > 5, file);
    for (const metric of wanted) assert.ok(made.has(metric), `${file}: ${metric}`);
  }
});

test('a task that is tried again once a minute, by one replica, and always fails is told', async () => {
  const alerts = await readFile('charts/weft/templates/alerts.yaml', 'utf8');
  const [, minutes, threshold] = /sum by \(task\) \(increase\(weft_task_failures_total\{[^}]*\}\}[^}]*\}\[(\d+)m\]\)\) > (\d+)/.exec(alerts) ?? [];
  assert.ok(Number(threshold) < Number(minutes) / 2, `more than ${threshold} failures in ${minutes} minutes`);
  assert.match(alerts, /summary: 'The task \{\{ `\{\{ \$labels\.task \}\}` \}\} of Weft fails/);
});

test('the panels of the dashboard have different ids, queries and descriptions', async () => {
  const { panels } = JSON.parse(await readFile('charts/weft/files/dashboard.json', 'utf8'));
  assert.equal(new Set(panels.map(({ id }: { readonly id: number }) => id)).size, panels.length);
  for (const { type, title, description, targets } of panels) assert.ok(type === 'row' || (description && targets.length > 0), title);
});

test('a sidecar has the variables from which telemetry takes its identity', async () => {
  const folders = await readdir('test/inject/golden', { recursive: true });
  const goldens = folders.filter((name) => name.endsWith('pod.golden.yaml')).map((name) => join('test/inject/golden', name));
  const injected = (await Promise.all(goldens.map((path) => readFile(path, 'utf8')))).filter((text) => text.includes('name: weft-proxy'));
  assert.ok(injected.length > 0);
  for (const proxy of injected.flatMap((text) => parseAllDocuments(text).flatMap((document) => proxiesIn(document.toJS())))) {
    const names = proxy.env.map(({ name }) => name);
    for (const variable of Object.values(identityVariables)) assert.ok(names.includes(variable), variable);
  }
});

interface Proxy {
  readonly env: readonly { readonly name: string }[];
}

/** The sidecars' containers, however deep they lie. */
function proxiesIn(value: unknown): readonly Proxy[] {
  if (typeof value !== 'object' || value === null) return [];
  const isProxy = 'name' in value && value.name === 'weft-proxy' && 'env' in value;
  return isProxy ? [Object(value)] : Object.values(value).flatMap(proxiesIn);
}
