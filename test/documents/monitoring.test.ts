/** The dashboard and the alerts ask for metrics that there are, and telemetry for variables that a sidecar has. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { identityVariables } from '../../src/compile/telemetry-calls.js';

/** Every name of a metric of Weft in a text, without what Prometheus appends to that of a histogram. */
function metricsIn(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/\b(?:envoy_)?weft_[a-z_]+/g)].map(([name]) => name.replace(/_(bucket|sum|count)$/, '')));
}

/** What the sources say of metrics: names in full, and the parts of those that are put together. */
async function sources(): Promise<string> {
  const files = ['src/observe', 'src/commands/serve', 'src/commands/injector'];
  const paths = await Promise.all(
    files.map(async (folder) => (await readdir(folder)).filter((name) => name.endsWith('.ts')).map((name) => join(folder, name))),
  );
  const texts = await Promise.all([...paths.flat(), 'src/compile/telemetry-metrics.ts'].map((path) => readFile(path, 'utf8')));
  return texts.join('\n');
}

test('the dashboard and the alerts ask for metrics that there are', async () => {
  const made = await sources();
  for (const file of ['charts/weft/files/dashboard.json', 'charts/weft/templates/alerts.yaml']) {
    const wanted = metricsIn(await readFile(file, 'utf8'));
    assert.ok(wanted.size > 5, file);
    for (const metric of wanted) {
      const short = metric.replace(/^envoy_weft_|^weft_watch_|^weft_/, '');
      assert.ok(
        made.includes(`'${metric}'`) || made.includes(`'${short}'`) || made.includes(`'${short.replace(/_total$/, '')}'`) || made.includes(`${short}:`),
        `${file}: ${metric}`,
      );
    }
  }
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
