import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { type Answers, scriptedClient } from '../../../test/support/scripted-client.js';
import { printCrds } from '../../features/crd.js';
import { makeAuthority } from '../../identity/x509.js';
import { KubeError, type KubeRequest } from '../../kubernetes/api.js';
import { weftVersion } from '../version.js';
import { beforeChecks } from './before.js';
import { type Check, type Finding, formatFindings, runChecks } from './finding.js';
import { namespaceChecks } from './namespaces.js';
import { serverChecks } from './server.js';
import { stateChecks } from './state.js';
import { webhookChecks } from './webhooks.js';
import { workloadChecks } from './workloads.js';

const now = Date.parse('2030-01-01T00:00:00Z');
const { certificate } = await makeAuthority({ notBefore: now - 1000, notAfter: now + 1e10 });
const caBundle = Buffer.from(certificate).toString('base64');

function findings(checks: readonly Check[], answers: Answers): Promise<readonly Finding[]> {
  return runChecks(checks, { client: scriptedClient(answers), namespace: 'weft-system', now: () => now });
}

/** `result: message` of the first finding about a thing. */
async function verdict(checks: readonly Check[], check: string, answers: Answers): Promise<string> {
  const found = (await findings(checks, answers)).find((finding) => finding.check === check);
  if (found && found.result !== 'ok') assert.ok(found.remedy, `${check} has a remedy`);
  return found ? `${found.result}: ${found.message}` : 'none';
}

const versionOf = (minor: string) => ({ 'GET /version': { major: '1', minor, gitVersion: `v1.${minor}.0` } });

test('the API server must be new enough', async () => {
  assert.match(await verdict(serverChecks, 'API server', versionOf('33')), /^ok: v1\.33\.0/);
  assert.match(await verdict(serverChecks, 'API server', versionOf('36+')), /^ok/);
  assert.match(await verdict(serverChecks, 'API server', versionOf('32')), /^failed: v1\.32\.0/);
  assert.match(await verdict(serverChecks, 'API server', versionOf('')), /^warning/);
});

const clockAt = (seconds: number) => ({
  'POST /api/v1/namespaces/default/configmaps': (request: KubeRequest) => {
    assert.deepEqual(request.query, { dryRun: 'All' });
    return { metadata: { creationTimestamp: new Date(now + seconds * 1000).toISOString() } };
  },
});

test('clocks may differ by a few seconds', async () => {
  assert.match(await verdict(serverChecks, 'clock', clockAt(0)), /^ok: .*less than a second/);
  assert.match(await verdict(serverChecks, 'clock', clockAt(4)), /^ok: .*4 s/);
  assert.match(await verdict(serverChecks, 'clock', clockAt(60)), /^warning: .*60 s/);
  assert.match(await verdict(serverChecks, 'clock', clockAt(-60)), /^warning: .*59 s/);
});

const mayAll = { 'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews': { status: { allowed: true } } };

test('whoever installs must be allowed to', async () => {
  assert.match(await verdict(beforeChecks, 'permissions', mayAll), /^ok/);
  const refuse = (request: KubeRequest) => ({ status: { allowed: !JSON.stringify(request.body).includes('"clusterroles"') } });
  const answers = { 'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews': refuse };
  assert.equal(await verdict(beforeChecks, 'permissions', answers), 'failed: not allowed to create clusterroles.rbac.authorization.k8s.io');
});

const ownedBy = (namespace: string) => ({ metadata: { annotations: { 'meta.helm.sh/release-namespace': namespace } } });
const crdPath = 'GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions/trafficpolicies.weft.dev';

test('what an earlier installation has left is named', async () => {
  const webhook = 'GET /apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/weft-injector';
  assert.match(await verdict(beforeChecks, 'leftovers', mayAll), /^ok/);
  assert.match(
    await verdict(beforeChecks, 'leftovers', { [webhook]: ownedBy('other') }),
    /^failed: .*weft-injector exists already, of a release in namespace other/,
  );
  assert.match(await verdict(beforeChecks, 'leftovers', { [crdPath]: ownedBy('weft-system') }), /^ok/);
  assert.match(await verdict(beforeChecks, 'leftovers', { [crdPath]: {} }), /^warning/);
});

const deploymentPath = 'GET /apis/apps/v1/namespaces/weft-system/deployments/weft-controller';
const replicas = (readyReplicas: number) => ({ [deploymentPath]: { metadata: { labels: {} }, spec: { replicas: 2 }, status: { readyReplicas } } });
const crashing = { ready: false, state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } };

test('a Deployment that is not ready says why', async () => {
  const name = 'deployment weft-controller';
  assert.match(await verdict(workloadChecks, name, {}), /^failed: is missing from namespace weft-system/);
  assert.match(await verdict(workloadChecks, name, replicas(2)), /^ok: 2 of 2 ready/);
  const pods = { 'GET /api/v1/namespaces/weft-system/pods': { items: [{ metadata: { name: 'p' }, status: { containerStatuses: [crashing] } }] } };
  assert.match(await verdict(workloadChecks, name, { ...replicas(1), ...pods }), /^warning: 1 of 2 ready.*; p: ImagePullBackOff: no such image/);
  assert.match(await verdict(workloadChecks, name, { ...replicas(0), ...pods }), /^failed/);
});

test('a Service needs endpoints that are ready', async () => {
  const slices = (ready: boolean) => ({
    'GET /apis/discovery.k8s.io/v1/namespaces/weft-system/endpointslices': { items: [{ endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready } }] }] },
  });
  assert.equal(await verdict(workloadChecks, 'service weft-injector', slices(true)), 'ok: 1 ready endpoint');
  assert.match(await verdict(workloadChecks, 'service weft-injector', slices(false)), /^failed/);
});

const injectorPath = 'GET /apis/apps/v1/namespaces/weft-system/deployments/weft-injector';
const version = (text: string) => ({ metadata: { labels: { 'app.kubernetes.io/version': text } } });

test('the two processes, and this program, have one version', async () => {
  const versions = (controller: string, injector: string) =>
    verdict(workloadChecks, 'versions', { [deploymentPath]: version(controller), [injectorPath]: version(injector) });
  assert.match(await versions(weftVersion(), weftVersion()), /^ok/);
  assert.match(await versions('0.0.1', '0.0.2'), /^warning: weft-controller is 0\.0\.1 and weft-injector 0\.0\.2/);
  assert.match(await versions('0.0.1', '0.0.1'), /^warning: Weft is 0\.0\.1 and this program/);
});

const configuration = (...bundles: readonly (string | undefined)[]) => ({
  'GET /apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/weft-injector': {
    webhooks: bundles.map((bundle) => ({ clientConfig: bundle ? { caBundle: bundle } : {} })),
  },
});

test('a webhook needs one caBundle that is valid', async () => {
  const name = 'webhook weft-injector';
  assert.match(await verdict(webhookChecks, name, {}), /^failed: there is no/);
  assert.match(await verdict(webhookChecks, name, configuration(undefined, undefined)), /^failed: has no caBundle/);
  assert.match(await verdict(webhookChecks, name, configuration(caBundle, undefined)), /^failed: .*different/);
  assert.match(await verdict(webhookChecks, name, configuration(caBundle, caBundle)), /^ok: caBundle holds an authority valid until/);
  assert.match(await verdict(webhookChecks, name, configuration('bm9uZQ==')), /^failed: caBundle holds no certificate/);
});

const podsPath = 'POST /api/v1/namespaces/default/pods';

test('a trial Pod shows whether the injector answers', async () => {
  const name = 'injector answers';
  const refused = (message: string) => ({ [podsPath]: new KubeError(403, 'Forbidden', message) });
  assert.match(await verdict(webhookChecks, name, { [podsPath]: { metadata: { annotations: { 'weft.dev/injected': '1' } } } }), /^ok/);
  assert.match(await verdict(webhookChecks, name, { [podsPath]: { metadata: {} } }), /^failed/);
  assert.match(await verdict(webhookChecks, name, refused('failed calling webhook "pod.injector.weft.dev": x509')), /^failed/);
  assert.match(await verdict(webhookChecks, name, refused('admission webhook "pod.injector.weft.dev" denied the request: PodSecurity')), /^ok/);
  assert.match(await verdict(webhookChecks, name, refused('pods is forbidden')), /^warning/);
});

test('a broken trial policy shows whether the validator answers', async () => {
  const path = 'POST /apis/weft.dev/v1alpha1/namespaces/default/trafficpolicies';
  const denied = new KubeError(400, 'BadRequest', 'admission webhook "policies.weft.dev" denied the request');
  assert.match(await verdict(webhookChecks, 'validator answers', { [path]: denied }), /^ok/);
  assert.match(await verdict(webhookChecks, 'validator answers', { [path]: {} }), /^warning: a broken trial policy is accepted/);
});

test('the CRDs must be served, with our schema', async () => {
  const [ours = {}] = printCrds();
  const established = { status: { conditions: [{ type: 'Established', status: 'True' }] } };
  const name = 'CRD trafficpolicies.weft.dev';
  assert.match(await verdict(stateChecks, name, {}), /^failed: is missing/);
  assert.match(await verdict(stateChecks, name, { [crdPath]: ours }), /^failed: is not served/);
  assert.match(await verdict(stateChecks, name, { [crdPath]: { ...ours, ...established } }), /^ok/);
  assert.match(await verdict(stateChecks, name, { [crdPath]: { spec: {}, ...established } }), /^warning/);
});

test('somebody must hold the Lease', async () => {
  const lease = (spec: object) => ({ 'GET /apis/coordination.k8s.io/v1/namespaces/weft-system/leases/weft-controller': { spec } });
  const held = (secondsAgo: number) => ({ holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: new Date(now - secondsAgo * 1000).toISOString() });
  assert.match(await verdict(stateChecks, 'lease', lease({})), /^failed: nobody/);
  assert.equal(await verdict(stateChecks, 'lease', lease(held(2))), 'ok: held by a');
  assert.match(await verdict(stateChecks, 'lease', lease(held(60))), /^failed: a last renewed it 60 s ago/);
});

test('the ServiceAccounts need their rights', async () => {
  const review = (request: KubeRequest) => ({ status: { allowed: !JSON.stringify(request.body).includes('"tokenreviews"') } });
  const said = await verdict(stateChecks, 'permissions of Weft', { 'POST /apis/authorization.k8s.io/v1/subjectaccessreviews': review });
  assert.equal(said, 'failed: weft-controller may not create tokenreviews.authentication.k8s.io');
  const own = (request: KubeRequest) => ({ status: { allowed: !/"resource":"secrets".*"name":"weft-ca"/.test(JSON.stringify(request.body)) } });
  const secret = await verdict(stateChecks, 'permissions of Weft', { 'POST /apis/authorization.k8s.io/v1/subjectaccessreviews': own });
  assert.equal(secret, 'failed: weft-controller may not get, update secrets weft-ca');
});

const pod = (name: string, metadata: object, spec: object = {}) => ({ metadata: { name, ...metadata }, spec, status: { phase: 'Running' } });
const meshedPod = pod('in', { annotations: { 'weft.dev/injected': '1' } });

function world(labels: object, pods: readonly object[], trust?: string): Answers {
  return {
    'GET /api/v1/namespaces': { items: [{ metadata: { name: 'shop', labels: { 'weft.dev/inject': 'true', ...labels } } }] },
    'GET /api/v1/namespaces/shop/pods': { items: pods },
    ...(trust === undefined ? {} : { 'GET /api/v1/namespaces/shop/configmaps/weft-ca': { data: { 'ca.crt': trust } } }),
  };
}

test('a meshed namespace must be able to be one', async () => {
  const name = 'namespace shop';
  assert.match(await verdict(namespaceChecks, 'namespaces', {}), /^ok: none is meshed yet/);
  assert.match(await verdict(namespaceChecks, name, world({ 'pod-security.kubernetes.io/enforce': 'baseline' }, [])), /^failed: .*NET_ADMIN/);
  assert.match(await verdict(namespaceChecks, name, world({}, [])), /^ok: has no meshed Pods yet/);
  assert.match(await verdict(namespaceChecks, name, world({}, [meshedPod])), /^failed: .*no ConfigMap weft-ca/);
  assert.match(await verdict(namespaceChecks, name, world({}, [meshedPod], certificate)), /^ok: 1 meshed Pods, which trust an authority valid until/);
});

test('a label that says nothing is told', async () => {
  assert.match(
    await verdict(namespaceChecks, 'namespace shop', world({ 'weft.dev/inject': 'enabled' }, [])),
    /^warning: has the label weft.dev\/inject: "enabled"/,
  );
  assert.match(await verdict(namespaceChecks, 'namespaces', world({ 'weft.dev/inject': 'false' }, [])), /^ok: none is meshed yet/);
});

test('sidecars of another version are counted', async () => {
  const checked = (installed: string) =>
    verdict(namespaceChecks, 'namespace shop', { ...world({}, [meshedPod], certificate), [injectorPath]: version(installed) });
  assert.match(await checked('1'), /^ok/);
  assert.equal(await checked('2'), 'warning: 1 Pods have the sidecar of another version of Weft than 2: in');
});

test('Pods that should have a sidecar and have none are counted', async () => {
  const pods = [pod('old', {}), pod('no', { labels: { 'weft.dev/inject': 'false' } }), pod('host', {}, { hostNetwork: true }), meshedPod];
  assert.equal(await verdict(namespaceChecks, 'namespace shop', world({}, pods, certificate)), 'warning: 1 Pods run without a sidecar: old');
});

test('what may not be looked at is a warning, and the rest goes on', async () => {
  const found = await findings(serverChecks, { 'GET /version': new KubeError(403, 'Forbidden', 'no'), ...clockAt(0) });
  assert.deepEqual(
    found.map(({ result }) => result),
    ['warning', 'ok'],
  );
  assert.match(formatFindings(found), /API server\s+warning\s+could not be looked at: no\n[\s\S]*What to do\n\nAPI server: run weft check as/);
});
