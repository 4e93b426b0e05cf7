/** The CustomResourceDefinitions in a real API server, which must judge as our own validator does. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { parseAllDocuments } from 'yaml';
import { validateRoute } from '../../src/commands/validate-webhook.js';
import { follow } from '../../src/features/field-path.js';
import { parseMesh } from '../../src/features/mesh.js';
import { parsePolicy } from '../../src/features/policy.js';
import { specSchema } from '../../src/features/policy-schema.js';
import { reviewPolicy } from '../../src/features/review.js';
import { startHttps } from '../../src/webhook/server.js';
import { startApiserver } from '../support/apiserver.js';
import { makeCertificates } from '../support/certificates.js';
import { arbitrary } from './arbitrary.js';
import { type BadPolicy, badPolicies } from './bad-policies.js';
import { installCrds, refusal } from './crds.js';
import { largePolicy } from './large-policy.js';

const apiserver = await startApiserver({ after });
const { client } = apiserver;
await installCrds(client);
await apiserver.namespace('shop');

function policy(spec: object): unknown {
  const targetRefs = [{ kind: 'Service', name: 'reviews' }];
  return { apiVersion: 'weft.dev/v1alpha1', kind: 'TrafficPolicy', metadata: { name: 'reviews', namespace: 'shop' }, spec: { targetRefs, ...spec } };
}

/** Every policy of the examples and the golden cases, but for those that nobody can read, moved into the namespace `shop`, under the name of its file. */
async function soundPolicies(): Promise<readonly (readonly [string, unknown])[]> {
  const names = ['examples', 'test/golden/cases'].map(async (folder) => (await readdir(folder, { recursive: true })).map((name) => join(folder, name)));
  const inputs = (await Promise.all(names)).flat().filter((name) => name.endsWith('.yaml') && !/\/(out|unreadable)\//.test(name));
  const objects = inputs.map(async (name) => parseAllDocuments(await readFile(name, 'utf8')).map((each): readonly [string, unknown] => [name, each.toJS()]));
  return (await Promise.all(objects)).flat().filter(([, object]) => follow(object, ['kind']) === 'TrafficPolicy');
}

function inShop(object: unknown): unknown {
  return { ...Object(object), metadata: { ...Object(follow(object, ['metadata'])), namespace: 'shop' } };
}

const describe = ({ by, field, remedy }: BadPolicy) => `${by}: ${field} ${remedy}`;

test('every policy of the examples and goldens is accepted', async () => {
  const found = await soundPolicies();
  assert.ok(found.length >= 15, `there are ${found.length}`);
  for (const [name, object] of found) assert.equal(await refusal(client, inShop(object)), undefined, name);
});

test('a bad policy is refused with its field and a remedy, or left to the webhook', async () => {
  assert.ok(badPolicies.length >= 60);
  for (const bad of badPolicies) {
    const said = await refusal(client, policy(bad.spec));
    if (bad.by === 'webhook') assert.equal(said, undefined, `${describe(bad)}: the API server sees this by itself`);
    else assert.ok(said?.includes(bad.field) && bad.remedy.test(said), `${describe(bad)}: it said ${said}`);
  }
});

test('our own validator accepts none of them', () => {
  for (const bad of badPolicies) assert.equal(parsePolicy(policy(bad.spec)).policy, undefined, describe(bad));
});

test('the webhook refuses what the API server cannot see', async (t) => {
  const { authority, leaves } = makeCertificates(['webhook']);
  const certificate = leaves.get('webhook');
  assert.ok(certificate);
  const source = { current: () => certificate, onChange: () => undefined };
  const server = await startHttps({
    host: '127.0.0.1',
    port: 0,
    certificate: source,
    routes: { '/validate': validateRoute },
    onDefect: (_, error) => assert.fail(String(error)),
  });
  t.after(() => server.close(0));
  const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
  await client.request({ method: 'POST', path, body: webhookConfiguration(`https://localhost:${server.port}/validate`, authority) });
  const others = badPolicies.filter(({ by }) => by === 'webhook');
  await untilRefused(policy(others[0]?.spec ?? {}));
  for (const bad of others) {
    const said = await refusal(client, policy(bad.spec));
    assert.ok(said?.includes(bad.field) && bad.remedy.test(said), `${describe(bad)}: it said ${said}`);
  }
  assert.equal(await refusal(client, policy({})), undefined);
  await client.request({ method: 'DELETE', path: `${path}/test` });
});

function webhookConfiguration(url: string, authority: string): unknown {
  const rule = { apiGroups: ['weft.dev'], apiVersions: ['v1alpha1'], resources: ['trafficpolicies'], operations: ['CREATE', 'UPDATE'] };
  const clientConfig = { url, caBundle: Buffer.from(authority).toString('base64') };
  const webhook = { name: 'policies.weft.dev', clientConfig, rules: [rule], sideEffects: 'None', admissionReviewVersions: ['v1'], failurePolicy: 'Fail' };
  return { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration', metadata: { name: 'test' }, webhooks: [webhook] };
}

/** The API server takes a moment to learn of a webhook. */
async function untilRefused(object: unknown): Promise<void> {
  while ((await refusal(client, object)) === undefined);
}

/** What only the webhook sees: expressions, names whatever their case, sums over many rules, and what depends on the policy's own namespace. */
const forWebhook =
  /syntax of RE2|repeat counts|or split the rules|remove one of the two|do one thing to each header|write the new host in set|move it to a policy in namespace|such as 10\.0\.0\.0\/8|match by path or port|write a prefix for many paths|name a namespace or a range/;

/** Who refuses a policy; rules are not looked at where the schema refuses it. */
function refuser(said: string | undefined): 'schema' | 'rule' | 'webhook' {
  if (said === undefined) return 'webhook';
  return /rules were not checked|unknown field/.test(said) ? 'schema' : 'rule';
}

test('of any policy the API server and our validator say the same', async () => {
  const counts = { accepted: 0, schema: 0, rule: 0, webhook: 0 };
  const body = arbitrary(specSchema).map((spec) => ({ ...Object(policy({})), spec }));
  const agree = fc.asyncProperty(body, async (object) => {
    const [said, review] = [await refusal(client, object), reviewPolicy(object)];
    if (review.allowed) assert.equal(said, undefined, 'we accept it, the API server does not');
    else if (said === undefined) for (const line of review.message.split('\n')) assert.match(line, forWebhook);
    counts[review.allowed ? 'accepted' : refuser(said)]++;
  });
  await fc.assert(agree, { numRuns: 2000, endOnFailure: true });
  process.stdout.write(`# of 2000 generated policies ${counts.accepted} were sound, ${counts.schema} against the schema, ${counts.rule} against a rule\n`);
  assert.ok(Math.min(counts.accepted, counts.schema, counts.rule) > 20, JSON.stringify(counts));
});

test('the largest policy is within the bounds of the API server, and of ours', async () => {
  const object = policy(largePolicy());
  const begin = performance.now();
  assert.deepEqual(reviewPolicy(object), { allowed: true, message: '', warnings: [] });
  process.stdout.write(`# the largest policy: ${Math.round(JSON.stringify(object).length / 1000)} kB, judged in ${Math.round(performance.now() - begin)} ms\n`);
  assert.equal(await refusal(client, object), undefined);
});

test('a Mesh is called default, and keeps its trust domain', async () => {
  const mesh = (name: string, spec?: object) => ({ apiVersion: 'weft.dev/v1alpha1', kind: 'Mesh', metadata: { name }, ...(spec && { spec }) });
  assert.match((await refusal(client, mesh('prod'))) ?? '', /metadata\.name must be default, since there is one Mesh; write default/);
  assert.match((await refusal(client, mesh('default', { egress: 'Registry' }))) ?? '', /spec\.egress: Unsupported value.*"RegistryOnly"/);
  assert.match((await refusal(client, mesh('default', { trustDomain: 'spiffe://a' }))) ?? '', /spec\.trustDomain: Invalid value/);
  const path = '/apis/weft.dev/v1alpha1/meshes';
  const made = await client.request({ method: 'POST', path, body: mesh('default') });
  assert.deepEqual(parseMesh(made).config, parseMesh(mesh('default')).config, 'the defaults are the same on both sides');
  const change = (spec: object) => client.request({ method: 'PATCH', path: `${path}/default`, patch: 'merge', body: { spec } });
  await change({ egress: 'RegistryOnly' });
  await assert.rejects(change({ trustDomain: 'mesh.example.com' }), /spec\.trustDomain: .*cannot be changed.*delete the Mesh and make another/);
});

test('a policy that was let in before may be labelled, and deleted', async () => {
  const path = '/apis/weft.dev/v1alpha1/namespaces/shop/trafficpolicies';
  const bad = policy(badPolicies.find(({ by }) => by === 'webhook')?.spec ?? {});
  const old = await client.request({ method: 'POST', path, body: bad });
  const labelled = await client.request({ method: 'PATCH', path: `${path}/reviews`, patch: 'merge', body: { metadata: { labels: { a: 'b' } } } });
  assert.equal(reviewPolicy(labelled, old).allowed, true);
  await client.request({ method: 'DELETE', path: `${path}/reviews` });
});

test('kubectl explains every field, and shows the columns', async () => {
  const kubectl = async (...args: readonly string[]) => {
    const { stdout } = await promisify(execFile)(join(String(process.env['KUBEBUILDER_ASSETS']), 'kubectl'), ['--kubeconfig', apiserver.kubeconfig, ...args]);
    return stdout;
  };
  assert.match(
    await kubectl('explain', 'trafficpolicy.spec.rules'),
    /The most specific match wins[\s\S]*backendRefs\s+<\[\]Object>\s+Where matching requests go/,
  );
  assert.match(await kubectl('explain', 'mesh.spec'), /egress\s+<string>\s+enum: Passthrough, RegistryOnly/);
  await client.request({ method: 'POST', path: '/apis/weft.dev/v1alpha1/namespaces/shop/trafficpolicies', body: policy({ mode: 'Shadow' }) });
  assert.match(await kubectl('get', 'tp', '-n', 'shop', '-o', 'wide'), /^NAME +TARGET +MODE +ACCEPTED +PROGRAMMED +MESSAGE +AGE\nreviews +reviews +Shadow/);
  assert.match(await kubectl('get', 'weft', '-A', '-o', 'name'), /trafficpolicy\.weft\.dev\/reviews/);
});
