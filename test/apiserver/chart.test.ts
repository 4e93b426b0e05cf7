/** The chart, rendered by helm and judged by a real API server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needed } from '../../src/commands/check/before.js';
import { at, listAt, nameOf, textAt } from '../../src/commands/check/look.js';
import { grants } from '../../src/commands/check/rights.js';
import { startApiserver } from '../support/apiserver.js';
import { renderChart } from '../support/chart.js';
import { chart, output, render, renderText, sets } from '../support/helm.js';

const variants: Readonly<Record<string, readonly string[]>> = {
  'as it is': [],
  autoscaled: ['controller.autoscaling.enabled=true', 'injector.autoscaling.enabled=true', 'networkPolicy.enabled=false'],
  'for one replica': ['controller.replicas=1', 'injector.replicas=1', 'controller.podDisruptionBudget.enabled=false', 'injector.failurePolicy=Ignore'],
  'with ranges and a digest': ['meshCidrs={10.0.0.0/8,fd00::/8}', `image.tag=sha256:${'0'.repeat(64)}`, 'crds.keep=true', 'imagePullSecrets={mine}'],
  watched: ['dashboard.enabled=true', 'alerts.enabled=false'],
  'on special nodes': ['controller.nodeSelector.a=b', 'controller.tolerations[0].key=a', 'injector.podLabels.a=b', 'controller.podAnnotations.a=b'],
};

for (const [name, values] of Object.entries(variants)) {
  test(`helm finds nothing wrong with the chart ${name}`, async () => {
    assert.match(await output('helm', ['lint', '--strict', chart, ...sets(values)]), / 0 chart\(s\) failed/);
  });
}

for (const value of [
  'controler.replicas=3',
  'controller.replicas=0',
  'injector.failurePolicy=Maybe',
  'logLevel=loud',
  'alerts.failureRatio=2',
  'certManager.enabled=true',
]) {
  test(`the chart refuses ${value}`, () => assert.rejects(renderText([value]), /values don't meet the specifications/));
}

test('the optional objects are there when they are wanted', async () => {
  const kinds = async (values: readonly string[]) => (await render(values)).map((object) => `${textAt(object, 'kind')}/${nameOf(object)}`);
  const optional = [
    'Certificate/weft-webhook',
    'ServiceMonitor/weft',
    'PrometheusRule/weft',
    'ConfigMap/weft-dashboard',
    'HorizontalPodAutoscaler/weft-controller',
  ];
  const plain = await kinds([]);
  const monitoring = ['serviceMonitor.enabled=true', 'alerts.enabled=true', 'dashboard.enabled=true'];
  const full = await kinds(['certManager.enabled=true', 'certManager.issuerRef.name=a', ...monitoring, 'controller.autoscaling.enabled=true']);
  for (const object of optional) assert.ok(full.includes(object) && !plain.includes(object), object);
  assert.ok(plain.includes('Secret/weft-webhook-ca') && !full.includes('Secret/weft-webhook-ca'), 'cert-manager makes that Secret itself');
  assert.ok(!(await kinds(['crds.install=false'])).some((name) => name.startsWith('CustomResourceDefinition')));
});

test('nobody gets more rights than the kinds that he names', async () => {
  const roles = (await render()).filter((object) => ['Role', 'ClusterRole'].includes(textAt(object, 'kind')));
  const rules = roles.filter((role) => /^weft-(controller|injector)$/.test(nameOf(role))).flatMap((role) => listAt(role, 'rules'));
  assert.ok(rules.length > 8);
  for (const rule of rules) {
    const text = JSON.stringify(rule);
    assert.ok(!text.includes('*'), text);
    if (/"(secrets|leases|mutatingwebhookconfigurations|validatingwebhookconfigurations)"/.test(text))
      assert.ok(listAt(rule, 'resourceNames').length > 0, text);
  }
});

test('weft check asks beforehand for the right to make each kind of object', async () => {
  const plural = (kind: string) => `${kind.toLowerCase().replace(/y$/, 'ie')}s`;
  const groupOf = (apiVersion: string) => (apiVersion.includes('/') ? apiVersion.replace(/\/.*/, '') : '');
  const made = (await render()).map((object) => `${groupOf(textAt(object, 'apiVersion'))}/${plural(textAt(object, 'kind'))}`);
  assert.deepEqual(needed.map(({ group, resource }) => `${group}/${resource}`).toSorted(), [...new Set(made)].toSorted());
});

test('weft check knows every right that the chart grants', async () => {
  const flat = (account: string, kind: string, rule: unknown) =>
    listAt(rule, 'resources').flatMap((resource) =>
      (listAt(rule, 'resourceNames').length > 0 ? listAt(rule, 'resourceNames') : ['']).flatMap((name) =>
        listAt(rule, 'verbs').map((verb) => `${account} ${kind} ${verb} ${listAt(rule, 'apiGroups')}/${resource} ${name}`),
      ),
    );
  const roles = (await render()).filter(
    (object) => ['Role', 'ClusterRole'].includes(textAt(object, 'kind')) && /^weft-(controller|injector)$/.test(nameOf(object)),
  );
  const granted = roles.flatMap((role) => listAt(role, 'rules').flatMap((rule) => flat(nameOf(role), textAt(role, 'kind'), rule)));
  const checked = grants.flatMap(({ account, group, resource, verbs, name = '', inside }) =>
    verbs.map((verb) => `${account} ${inside ? 'Role' : 'ClusterRole'} ${verb} ${group}/${resource} ${name}`),
  );
  assert.deepEqual(checked.toSorted(), granted.toSorted());
});

test('by default it survives the loss of a node, and its processes can do little', async () => {
  const objects = await render();
  const named = (kind: string, name: string) => objects.find((object) => textAt(object, 'kind') === kind && nameOf(object) === name);
  for (const name of ['weft-controller', 'weft-injector']) {
    const deployment = named('Deployment', name);
    const pod = at(deployment, 'spec', 'template', 'spec');
    const [container] = listAt(pod, 'containers');
    assert.equal(at(deployment, 'spec', 'replicas'), 2);
    assert.equal(at(deployment, 'spec', 'strategy', 'rollingUpdate', 'maxUnavailable'), 0);
    const [apart] = listAt(pod, 'affinity', 'podAntiAffinity', 'preferredDuringSchedulingIgnoredDuringExecution');
    assert.equal(textAt(apart, 'podAffinityTerm', 'topologyKey'), 'kubernetes.io/hostname');
    assert.equal(textAt(apart, 'podAffinityTerm', 'labelSelector', 'matchLabels', 'app.kubernetes.io/component'), name.replace('weft-', ''));
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) assert.ok(at(container, probe, 'httpGet'), `${name} has a ${probe}`);
    for (const field of ['requests', 'limits']) assert.ok(textAt(container, 'resources', field, 'memory'), `${name} has ${field}`);
    assert.equal(at(container, 'securityContext', 'readOnlyRootFilesystem'), true);
    assert.equal(at(named('PodDisruptionBudget', name), 'spec', 'maxUnavailable'), 1);
    assert.ok(at(named('NetworkPolicy', name), 'spec', 'podSelector', 'matchLabels'), `${name} has a NetworkPolicy`);
  }
});

test('weft install prints the same for machines', async () => {
  const said: unknown = JSON.parse(await output(process.execPath, ['dist/src/main.js', 'install', '--print', '-o', 'json']));
  assert.equal(textAt(said, 'kind'), 'List');
  assert.deepEqual(listAt(said, 'items'), await render());
});

test('helm test asks both processes whether they are ready', async () => {
  const hooks = (await renderChart('weft-system')).filter(({ raw }) => textAt(raw, 'metadata', 'annotations', 'helm.sh/hook') === 'test');
  assert.deepEqual(
    hooks.map(({ name }) => name),
    ['weft-test-controller', 'weft-test-injector'],
  );
  for (const { name, raw } of hooks) assert.ok(JSON.stringify(raw).includes(`http://${name.replace('-test', '')}.weft-system.svc:15020/readyz`), name);
});

test('an API server takes all of it, sees no drift once Weft has filled it, and is rid of it again', async (t) => {
  const { client, kubeconfig, namespace } = await startApiserver(t);
  const cluster = ['--kubeconfig', kubeconfig];
  await namespace('weft-system', { 'pod-security.kubernetes.io/enforce': 'restricted' });

  await t.test('every variant', async () => {
    for (const values of Object.values(variants)) {
      await output('kubectl', ['apply', '--server-side', '--dry-run=server', '-f', '-', ...cluster], await renderText(values));
    }
  });

  await t.test('its Pods under the level restricted', async () => {
    for (const object of await render(['controller.priorityClassName='])) {
      if (textAt(object, 'kind') !== 'Deployment') continue;
      const spec = { ...Object(at(object, 'spec', 'template', 'spec')), serviceAccountName: 'default' };
      const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name: nameOf(object) }, spec };
      await client.request({ method: 'POST', path: '/api/v1/namespaces/weft-system/pods', query: { dryRun: 'All' }, body });
    }
  });

  const upgrade = () => output('helm', ['upgrade', '--install', 'weft', chart, '--namespace', 'weft-system', ...cluster]);
  const secret = '/api/v1/namespaces/weft-system/secrets/weft-ca';
  const webhook = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/weft-injector';
  const lease = '/apis/coordination.k8s.io/v1/namespaces/weft-system/leases/weft-controller';
  const filled = async () => [
    textAt(await client.request({ method: 'GET', path: secret }), 'data', 'tls.crt'),
    ...listAt(await client.request({ method: 'GET', path: webhook }), 'webhooks').map((one) => textAt(one, 'clientConfig', 'caBundle')),
    textAt(await client.request({ method: 'GET', path: lease }), 'spec', 'holderIdentity'),
  ];

  await t.test('helm tells the next step', async () => {
    const said = await upgrade();
    for (const words of ['kubectl label namespace YOUR-NAMESPACE weft.dev/inject=true', 'weft check --namespace weft-system'])
      assert.ok(said.includes(words), said);
  });

  await t.test('an upgrade keeps what Weft has filled', async () => {
    const caBundle = 'bm9uZQ==';
    const patch = [0, 1].map((index) => ({ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value: caBundle }));
    await client.request({ method: 'PATCH', path: webhook, patch: 'json', body: patch });
    await client.request({ method: 'PATCH', path: secret, patch: 'merge', body: { data: { 'tls.crt': caBundle } } });
    await client.request({ method: 'PATCH', path: lease, patch: 'merge', body: { spec: { holderIdentity: 'weft-controller-1' } } });
    await upgrade();
    assert.deepEqual(await filled(), [caBundle, caBundle, caBundle, 'weft-controller-1']);
  });

  await t.test('a GitOps tool sees no difference', async () => {
    const manifest = await renderText();
    assert.equal(await output('kubectl', ['diff', '-f', '-', ...cluster], manifest), '');
    assert.equal(await output('kubectl', ['diff', '--server-side', '--force-conflicts', '-f', '-', ...cluster], manifest), '');
    await output('kubectl', ['apply', '--server-side', '--force-conflicts', '-f', '-', ...cluster], manifest);
    assert.equal((await filled()).filter(Boolean).length, 4, 'nor does it take anything away');
  });

  await t.test('uninstalling removes every object', async () => {
    await output('helm', ['uninstall', 'weft', '--namespace', 'weft-system', ...cluster]);
    const kinds =
      'clusterrole,clusterrolebinding,role,rolebinding,secret,service,serviceaccount,deployment,lease,mutatingwebhookconfiguration,validatingwebhookconfiguration';
    const left = await output('kubectl', [
      'get',
      `${kinds},networkpolicy,poddisruptionbudget`,
      '-A',
      '-l',
      'app.kubernetes.io/part-of=weft',
      '-o',
      'name',
      ...cluster,
    ]);
    assert.equal(left, '');
  });
});
