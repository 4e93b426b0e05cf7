/** Identities on the cluster: mutual TLS without a line of configuration, Strict with probes that go on, and who may call whom. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import type { TestContext } from 'node:test';
import type { StrictReadiness } from '../../src/commands/strict-ready/format.js';
import { policy } from '../support/manifests.js';
import { call, get, seen } from './harness/calls.js';
import { envoyStats, total } from './harness/envoy-stats.js';
import { apply, field, kubectl, rolledOut, waitFor } from './harness/kubectl.js';
import { startLoad } from './harness/load.js';
import { type App, deployment, httpReady, pod, service, tcpReady } from './harness/manifests.js';
import { makeNamespace } from './harness/namespace.js';
import { ensureInstalled } from './harness/release.js';
import { story } from './harness/story.js';
import { until } from './harness/until.js';

const namespace = 'weft-test-identities';
const [shop, thief, outsider] = ['shop', 'thief', 'outsider'].map((name) => ({ namespace, pod: name }));

story('identities', [namespace], async (t) => {
  assert.ok(shop && thief && outsider);
  await ensureInstalled();
  await makeNamespace(t, namespace, true);
  await apply(['web', 'shop', 'thief'].map((name) => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } })));
  await apply([
    service(namespace, 'web', [{ name: 'http', port: 80, targetPort: 8080 }]),
    deployment(namespace, as('web', { name: 'web', args: ['http', '8080'], replicas: 2, readiness: httpReady(8080) })),
    service(namespace, 'echo', [{ name: 'tcp', port: 7000 }]),
    deployment(namespace, as('web', { name: 'echo', args: ['tcp', '7000'], readiness: tcpReady(7000) })),
    pod(namespace, as('shop', { name: 'shop', args: ['idle'] })),
    pod(namespace, as('thief', { name: 'thief', args: ['idle'] })),
    pod(namespace, { name: 'outsider', args: ['idle'], isMeshed: false }),
  ]);
  await Promise.all(['web', 'echo'].map((name) => rolledOut(namespace, `deployment/${name}`)));
  await Promise.all(['shop', 'thief', 'outsider'].map((name) => waitFor(namespace, `pod/${name}`, 'condition=Ready')));

  await t.test('the first request of a pod goes by mutual TLS, and the app is told who calls', async () => {
    const { identities } = await seen(shop, 'http://web/');
    assert.match(identities, new RegExp(`URI=spiffe://cluster\\.local/ns/${namespace}/sa/shop(;|$)`));
    assert.equal((await seen(outsider, 'http://web/')).identities, '', 'who is outside is let in, and is nobody');
    const claimed = await seen(thief, 'http://web/', { headers: { 'x-forwarded-client-cert': `URI=spiffe://cluster.local/ns/${namespace}/sa/shop` } });
    assert.match(claimed.identities, /sa\/thief(;|$)/);
    assert.doesNotMatch(claimed.identities, /sa\/shop/, 'who is inside cannot claim to be another');
  });

  await t.test('the metrics say who called whom', async () => {
    const labels = [`source="spiffe://cluster.local/ns/${namespace}/sa/shop"`, `destination="web.${namespace}.80"`, 'direction="outbound"'];
    await until('it is counted', async () => total(await envoyStats(namespace, 'shop'), 'envoy_weft_requests_total', ...labels) > 0);
  });

  await t.test('weft check --strict-ready names who calls in plaintext', async () => {
    const { code, services } = await strictReady();
    assert.equal(code, 1);
    const web = services.find(({ service: name }) => name === `${namespace}/web`);
    assert.deepEqual(
      web?.ports[0]?.callers.map((caller) => (caller.kind === 'Pod' ? [caller.name, caller.isMeshed] : [caller.kind, caller.address])),
      [[`${namespace}/outsider`, false]],
      'the outsider, and neither meshed Pods nor the kubelet',
    );
    assert.equal(services.find(({ service: name }) => name === `${namespace}/echo`)?.verdict, 'Ready');
  });

  await t.test('Strict refuses who has no identity, and the probes of new pods find the app', async () => {
    await apply([policy(namespace, 'strict', 'web', { tls: { mode: 'Strict' } })]);
    await until('the outsider is refused', async () => (await isRefused(outsider, 'http://web/')) || undefined);
    assert.equal((await get(shop, 'http://web/')).status, 200);
    await kubectl(['-n', namespace, 'rollout', 'restart', 'deployment/web']);
    await rolledOut(namespace, 'deployment/web');
    assert.ok(await isRefused(outsider, 'http://web/'), 'new pods are Strict from the first');
    assert.equal((await get(shop, 'http://web/')).status, 200);
  });

  await t.test('no request between pods of the mesh fails while that changes', async () => {
    const load = await startLoad(namespace, [{ url: 'http://web/', perSecond: 30 }]);
    await load.unharmed('Strict, Permissive, Strict', async () => {
      for (const mode of ['Permissive', 'Strict']) {
        await apply([policy(namespace, 'strict', 'web', { tls: { mode } })]);
        await until(`it is ${mode}`, async () => (await isRefused(outsider, 'http://web/')) === (mode === 'Strict'));
      }
    });
  });

  await t.test('then weft check --strict-ready has nothing to say against it', async () => {
    const { code, services } = await strictReady();
    assert.deepEqual(
      services.map(({ service: name, verdict }) => [name, verdict]),
      [
        [`${namespace}/echo`, 'Ready'],
        [`${namespace}/web`, 'Strict'],
      ],
    );
    assert.equal(code, 0);
  });

  await t.test('authorization lets in whom it names, by HTTP and by TCP', (t) => authorized(t));
});

async function authorized(t: TestContext): Promise<void> {
  assert.ok(shop && thief);
  const rules = [{ name: 'shop', sources: [{ type: 'ServiceAccount', serviceAccount: { name: 'shop' } }] }];
  const policies = ['web', 'echo'].map((name) => policy(namespace, `only-shop-${name}`, name, { authorization: { rules } }));
  t.after(() => kubectl(['-n', namespace, 'delete', 'trafficpolicy', 'only-shop-web', 'only-shop-echo']).then(() => undefined));
  await apply(policies);
  await until('the thief is refused', async () => (await get(thief, 'http://web/')).status === 403);
  assert.equal((await get(shop, 'http://web/')).status, 200);
  await assert.rejects(call(thief, { tcp: 'echo:7000', say: 'hello' }));
  await call(shop, { tcp: 'echo:7000', say: 'hello' });
  const accepted = '{.status.ancestors[0].conditions[?(@.type=="Accepted")].status}';
  await until('its status says so', async () => (await field(namespace, 'trafficpolicy/only-shop-web', accepted)) === 'True');
}

/** What the command says of the namespace. */
async function strictReady(): Promise<StrictReadiness & { readonly code: number }> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['dist/src/main.js', 'check', '--strict-ready', '--watched', '0s', '-n', namespace, '-o', 'json'], (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : 0;
      if (stdout) resolve({ ...JSON.parse(stdout), code });
      else reject(new Error(`exit code ${code}: ${stderr}`));
    });
  });
}

async function isRefused(caller: { readonly namespace: string; readonly pod: string }, url: string): Promise<boolean> {
  return get(caller, url).then(
    ({ status }) => status !== 200,
    () => true,
  );
}

function as(serviceAccountName: string, app: App): App {
  return { ...app, spec: { ...app.spec, serviceAccountName } };
}
