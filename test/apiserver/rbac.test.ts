import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { parsers } from '../../src/commands/parsers.js';
import type { KubeClient } from '../../src/kubernetes/api.js';
import { isPlain } from '../../src/kubernetes/plain.js';
import { type Apiserver, startApiserver } from '../support/apiserver.js';
import { applyObject, type ChartObject, renderChart } from '../support/chart.js';
import { follow } from '../support/followed.js';
import { controllerNeeds, injectorNeeds, type Need, subjects, weftNamespace } from './needs.js';

/** One verb that a role allows on one resource. */
interface Right {
  readonly role: 'ClusterRole' | 'Role';
  readonly verb: string;
  readonly resource: string;
  readonly rule: object;
}

/** What of the chart the API server has to have. */
const kept = /^(ServiceAccount|Secret|CustomResourceDefinition|(Cluster)?Role(Binding)?|Lease|(Validating|Mutating)WebhookConfiguration)$/;

interface Installed {
  readonly apiserver: Apiserver;
  readonly chart: readonly ChartObject[];
  readonly bundle: string;
}

async function install(t: TestContext): Promise<Installed> {
  const apiserver = await startApiserver(t);
  const { client } = apiserver;
  const chart = await renderChart(weftNamespace);
  await apiserver.namespace(weftNamespace);
  await apiserver.namespace(subjects.namespace);
  for (const { kind, raw } of chart) if (kept.test(kind)) await applyObject(client, raw);
  await follow(t, client, Object.fromEntries(Object.entries(parsers).filter(([id]) => id.startsWith('weft.dev/')))).ready;
  const own = { apiVersion: 'weft.dev/v1alpha1' };
  const spec = { targetRefs: [{ kind: 'Service', name: 'reviews' }] };
  await applyObject(client, { ...own, kind: 'TrafficPolicy', metadata: { name: subjects.policy, namespace: subjects.namespace }, spec });
  await applyObject(client, { ...own, kind: 'Mesh', metadata: { name: subjects.mesh }, spec: {} });
  return { apiserver, chart, bundle: await readFile(apiserver.authority, 'utf8') };
}

/** The first need that is not met, with the API server's words. */
async function firstUnmet(admin: KubeClient, client: KubeClient, needs: readonly Need[]): Promise<string | undefined> {
  for (const { name, prepare, run } of needs) {
    await prepare?.(admin);
    const failure = await run(client).then(() => undefined, String);
    if (failure) return `${name}: ${failure}`;
  }
  return undefined;
}

function rightsOf(chart: readonly ChartObject[], process: string): readonly Right[] {
  const roles = chart.filter(({ kind, name }) => (kind === 'ClusterRole' || kind === 'Role') && name === process);
  return roles.flatMap(({ kind, raw }) => {
    const role = kind === 'Role' ? 'Role' : 'ClusterRole';
    return listIn(raw, 'rules').flatMap((rule) =>
      listIn(rule, 'resources').flatMap((resource) =>
        listIn(rule, 'verbs').map((verb) => ({
          ...({ role, verb: String(verb), resource: String(resource) } as const),
          rule: { ...(isPlain(rule) ? rule : {}), resources: [resource], verbs: [verb] },
        })),
      ),
    );
  });
}

function listIn(value: unknown, field: string): readonly unknown[] {
  const found = isPlain(value) ? value[field] : undefined;
  return Array.isArray(found) ? found : [];
}

/** Gives these rights, and no others, to a user. */
async function grant(client: KubeClient, user: string, rights: readonly Right[]): Promise<void> {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  for (const kind of ['ClusterRole', 'Role'] as const) {
    const metadata = { name: user, ...(kind === 'Role' ? { namespace: weftNamespace } : {}) };
    await applyObject(client, { apiVersion, kind, metadata, rules: rights.filter(({ role }) => role === kind).map(({ rule }) => rule) });
    const subject = { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user };
    await applyObject(client, { apiVersion, kind: `${kind}Binding`, metadata, roleRef: { apiGroup: subject.apiGroup, kind, name: user }, subjects: [subject] });
  }
}

const processes = [
  { process: 'weft-controller', needsOf: controllerNeeds },
  { process: 'weft-injector', needsOf: injectorNeeds },
] as const;

for (const { process, needsOf } of processes) {
  test(`${process} can do with the chart's rights all that it does, and needs each of them`, { timeout: 200_000 }, async (t) => {
    const { apiserver, chart, bundle } = await install(t);
    const needs = needsOf(bundle);
    const account = await apiserver.clientAs({ user: `system:serviceaccount:${weftNamespace}:${process}` });
    assert.equal(await firstUnmet(apiserver.client, account, needs), undefined);

    const rights = rightsOf(chart, process);
    assert.ok(rights.length > 4 && !JSON.stringify(rights).includes('*'), JSON.stringify(rights));
    for (const [index, right] of rights.entries())
      await grant(
        apiserver.client,
        `without-${index}`,
        rights.filter((other) => other !== right),
      );
    await grant(apiserver.client, 'with-all', rights);
    // The API server learns of roles by a watch of its own; the last one that was made has all.
    const withAll = await apiserver.clientAs({ user: 'with-all' });
    while (await firstUnmet(apiserver.client, withAll, needs)) await delay(50);

    const unneeded: string[] = [];
    for (const [index, { verb, resource }] of rights.entries()) {
      const [name = '', subresource] = resource.split('/');
      const unmet = await firstUnmet(apiserver.client, await apiserver.clientAs({ user: `without-${index}` }), needs);
      const words = `cannot ${verb} resource \\\\?"${name}${subresource ? `/${subresource}` : ''}\\\\?"`;
      if (!new RegExp(words).test(unmet ?? '')) unneeded.push(`${verb} ${resource}: ${unmet ?? 'nothing is missed'}`);
    }
    assert.deepEqual(unneeded, []);
    t.diagnostic(`${process} needs each of its ${rights.length} rights`);
  });
}
