/** `weft check` on a real API server: before, after, and as somebody who may see little. What controllers would write is written by hand. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { checkCluster } from '../../src/commands/check.js';
import { makeAuthority } from '../../src/identity/x509.js';
import type { KubeClient } from '../../src/kubernetes/api.js';
import { startApiserver } from '../support/apiserver.js';
import { chart, output } from '../support/helm.js';

async function check(client: KubeClient): Promise<Readonly<Record<string, string>>> {
  const { findings } = await checkCluster({ client, namespace: 'weft-system', now: Date.now });
  return Object.fromEntries(findings.map(({ check: name, result, message }) => [name, `${result}: ${message}`]));
}

test('weft check tells how a cluster and Weft in it stand', async (t) => {
  const { client, clientAs, kubeconfig, kubeconfigAs, namespace } = await startApiserver(t);
  await makeServiceAccount(client);
  const { certificate } = await makeAuthority({ notBefore: Date.now() - 1000, notAfter: Date.now() + 1e10 });

  await t.test('before Weft is there', async () => {
    const found = await check(client);
    assert.deepEqual(Object.keys(found), ['API server', 'clock', 'permissions', 'leftovers']);
    for (const [name, said] of Object.entries(found)) assert.match(said, /^ok/, name);
  });

  await t.test('to somebody who may not install it', async () => {
    const found = await check(await clientAs({ user: 'nobody' }));
    assert.match(found['permissions'] ?? '', /not allowed to create mutatingwebhookconfigurations|^warning: could not be looked at/);
    assert.match(found['clock'] ?? '', /^warning: could not be looked at/);
  });

  await t.test('once its objects are there, but nothing runs', async () => {
    await namespace('weft-system');
    await output('helm', ['upgrade', '--install', 'weft', chart, '--namespace', 'weft-system', '--kubeconfig', kubeconfig]);
    const found = await check(client);
    for (const name of ['deployment weft-controller', 'service weft-injector', 'webhook weft-injector', 'lease'])
      assert.match(found[name] ?? '', /^failed/, name);
    for (const name of ['CRD trafficpolicies.weft.dev', 'CRD meshes.weft.dev', 'permissions of Weft', 'namespaces'])
      assert.match(found[name] ?? '', /^ok/, name);
    assert.match(found['injector answers'] ?? '', /^failed: .*failed calling webhook/);
    assert.match(found['validator answers'] ?? '', /^warning: a broken trial policy is accepted/);
  });

  await t.test('the command prints it and exits with 1', async () => {
    const { code, stdout } = await weftCheck(['--kubeconfig', kubeconfig, '-o', 'json']);
    assert.equal(code, 1);
    assert.equal(JSON.parse(stdout).installed, true);
  });

  await t.test('with --strict-ready it exits with 3 while not every sidecar has told, or one may not ask', async () => {
    await namespace('plain');
    await makeUnreachable(client, 'plain');
    const { code, stdout } = await weftCheck(['--strict-ready', '--kubeconfig', kubeconfig, '-o', 'json']);
    assert.equal(code, 3);
    const { services } = JSON.parse(stdout);
    const found = services.find(({ service }: { readonly service: string }) => service === 'plain/web');
    assert.equal(found.verdict, 'Unknown');
    assert.match(found.problems.join(), /^Pod plain\/web-1 does not answer: /);
    const refused = await weftCheck(['--strict-ready', '--kubeconfig', await kubeconfigAs({ user: 'nobody' })]);
    assert.equal(refused.code, 3);
    assert.match(refused.stderr, /must be allowed to list services, pods, nodes/);
  });

  await t.test('once it runs', async () => {
    for (const component of ['controller', 'injector']) await pretendToRun(client, `weft-${component}`);
    const spec = { holderIdentity: 'weft-controller-1', leaseDurationSeconds: 15, renewTime: new Date().toISOString().replace('Z', '000Z') };
    await client.request({
      method: 'PATCH',
      path: '/apis/coordination.k8s.io/v1/namespaces/weft-system/leases/weft-controller',
      patch: 'merge',
      body: { spec },
    });
    const value = Buffer.from(certificate).toString('base64');
    const patch = [0, 1].map((index) => ({ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value }));
    const webhook = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/weft-injector';
    await client.request({ method: 'PATCH', path: webhook, patch: 'json', body: patch });
    const found = await check(client);
    for (const name of ['deployment weft-controller', 'service weft-injector', 'webhook weft-injector', 'lease']) assert.match(found[name] ?? '', /^ok/, name);
  });

  await t.test('and what its rights lack', async () => {
    await client.request({ method: 'DELETE', path: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/weft-injector' });
    assert.equal(
      (await check(client))['permissions of Weft'],
      'failed: weft-injector may not list, watch namespaces; weft-injector may not get, patch mutatingwebhookconfigurations.admissionregistration.k8s.io weft-injector',
    );
  });

  await t.test('and how the meshed namespaces stand', async () => {
    await namespace('strict', { 'weft.dev/inject': 'true', 'pod-security.kubernetes.io/enforce': 'baseline' });
    await namespace('shop', { 'weft.dev/inject': 'true' });
    const found = await check(client);
    assert.match(found['namespace strict'] ?? '', /^failed: its Pod Security level baseline/);
    assert.match(found['namespace shop'] ?? '', /^ok: has no meshed Pods yet/);
  });
});

/** Runs the command. */
function weftCheck(args: readonly string[]): Promise<{ readonly code: unknown; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['dist/src/main.js', 'check', ...args], (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }));
  });
}

/** A Service, and a Pod of it with a sidecar at an address that nobody has (RFC 5737). */
async function makeUnreachable(client: KubeClient, namespace: string): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}`;
  const spec = { selector: { app: 'web' }, ports: [{ port: 80 }] };
  await client.request({ method: 'POST', path: `${path}/services`, body: { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec } });
  const container = (name: string) => ({ name, image: 'none' });
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-1', labels: { app: 'web' } } };
  const containers = { initContainers: [container('weft-proxy')], containers: [container('app')] };
  await client.request({ method: 'POST', path: `${path}/pods`, body: { ...pod, spec: containers } });
  const status = { phase: 'Running', podIP: '192.0.2.1', podIPs: [{ ip: '192.0.2.1' }] };
  await client.request({ method: 'PATCH', path: `${path}/pods/web-1/status`, patch: 'merge', body: { status } });
}

/** Without it the namespace `default` takes no Pods. */
async function makeServiceAccount(client: KubeClient): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
  await client.request({ method: 'POST', path: '/api/v1/namespaces/default/serviceaccounts', body });
}

async function pretendToRun(client: KubeClient, name: string): Promise<void> {
  const status = { replicas: 2, readyReplicas: 2, availableReplicas: 2 };
  const path = `/apis/apps/v1/namespaces/weft-system/deployments/${name}/status`;
  await client.request({ method: 'PATCH', path, patch: 'merge', body: { status } });
  const body = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.2'], conditions: { ready: true } }],
    ports: [],
  };
  await client.request({ method: 'POST', path: '/apis/discovery.k8s.io/v1/namespaces/weft-system/endpointslices', body });
}
