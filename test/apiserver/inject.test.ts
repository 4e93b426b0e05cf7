import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { inject } from '../../src/inject/patch.js';
import { defaultSettings } from '../../src/inject/settings.js';
import { isPlain, textOf } from '../../src/kubernetes/plain.js';
import { patchBetween } from '../../src/webhook/json-patch.js';
import { summarize } from '../bench/statistics.js';
import { admissionSeconds, createInjectorWorld, type InjectorWorld, nameOfContainers, ownNamespace, simplePod, untilInjecting } from './injector-world.js';
import { collectGarbage } from './memory.js';

const settings = { ...defaultSettings, version: '0.1.0' };
const ours = ['weft-init', 'weft-proxy'];

const specOf = (pod: unknown): Readonly<Record<string, unknown>> => {
  const spec = isPlain(pod) ? pod['spec'] : undefined;
  assert.ok(isPlain(spec));
  return spec;
};
const listOf = (value: unknown): readonly unknown[] => {
  assert.ok(Array.isArray(value));
  return value;
};

test('an injector beside a real API server', async (t) => {
  const world: InjectorWorld = await createInjectorWorld(t);
  const injector = await world.startInjector();
  await untilInjecting(world);
  await world.serviceAccount('kube-system');
  const initNames = async (namespace: string, pod: object, query?: Readonly<Record<string, string>>) =>
    nameOfContainers(specOf(await world.createPod(namespace, pod, query))['initContainers']);

  await t.test('a pod of a namespace with the label gets a sidecar, one without does not', async () => {
    assert.deepEqual(await initNames('shop', simplePod('plain')), ours);
    assert.deepEqual(await initNames('open', simplePod('plain')), []);
    assert.deepEqual(await initNames('open', simplePod('asks', {}, { labels: { 'weft.dev/inject': 'true' } })), ours);
    assert.deepEqual(await initNames('shop', simplePod('says-no', {}, { labels: { 'weft.dev/inject': 'false' } })), []);
    assert.deepEqual(await initNames('shop', simplePod('host', { hostNetwork: true })), []);
    assert.deepEqual(await initNames('shop', simplePod('made', { initContainers: [{ name: 'own', image: 'own:1' }] })), [...ours, 'own']);
  });

  await t.test('a namespace that is newer than what the injector has heard counts at once', async () => {
    for (let n = 0; n < 5; n++) {
      await world.namespace(`new-${n}`, { 'weft.dev/inject': 'true' });
      assert.deepEqual(await initNames(`new-${n}`, simplePod('first')), ours);
    }
  });

  await t.test('dry run gives the same and stores nothing', async () => {
    assert.deepEqual(await initNames('shop', simplePod('dry'), { dryRun: 'All' }), ours);
    await assert.rejects(world.client.request({ method: 'GET', path: '/api/v1/namespaces/shop/pods/dry' }), { status: 404 });
  });

  await t.test('what cannot be meshed is refused with a remedy', async () => {
    await world.namespace('safe', { 'weft.dev/inject': 'true', 'pod-security.kubernetes.io/enforce': 'baseline' });
    await assert.rejects(
      world.createPod('safe', simplePod('web')),
      /pod safe\/web cannot be meshed: namespace safe has the label pod-security.*"baseline".*set that label/,
    );
    const bad = simplePod('bad', {}, { annotations: { 'weft.dev/exclude-outbound-ports': 'http' } });
    await assert.rejects(world.createPod('shop', bad), /pod shop\/bad cannot be meshed: weft\.dev\/exclude-outbound-ports is "http"; it must be a list/);
    await assert.rejects(world.createPod('shop', simplePod('same', { securityContext: { runAsUser: 1337 } })), /container web runs as user 1337/);
  });

  await t.test('what is stored is what was injected, and injecting it again changes nothing', async () => {
    const stored = await world.createPod('shop', {
      metadata: { name: 'stored' },
      spec: {
        serviceAccountName: 'default',
        terminationGracePeriodSeconds: 20,
        initContainers: [{ name: 'own', image: 'own:1' }],
        containers: [{ name: 'web', image: 'web:1', ports: [{ containerPort: 8080, name: 'http' }], readinessProbe: { tcpSocket: { port: 'http' } } }],
      },
    });
    const again = inject(stored, { namespace: { name: 'shop', labels: { 'weft.dev/inject': 'true' } }, settings, drainKey: 'another0another0' });
    assert.ok(again.kind === 'patch');
    assert.deepEqual(patchBetween(stored, again.pod), []);
  });

  await t.test("the token of the app's ServiceAccount is not in our containers, the one for Weft is", async () => {
    const spec = specOf(await world.createPod('shop', simplePod('tokens')));
    const mounts = new Map(
      [...listOf(spec['initContainers']), ...listOf(spec['containers'])].map((container) => {
        assert.ok(isPlain(container));
        const api = listOf(container['volumeMounts']).find((mount) => textOf(mount, 'mountPath') === '/var/run/secrets/kubernetes.io/serviceaccount');
        return [textOf(container, 'name'), textOf(api, 'name').replace(/^(kube-api-access)-.*/, '$1')];
      }),
    );
    assert.deepEqual(Object.fromEntries(mounts), { 'weft-init': 'weft-empty', 'weft-proxy': 'weft-empty', web: 'kube-api-access' });
  });

  await t.test('300 pods that are created at once are all injected', async (t) => {
    const waited = await Promise.all(
      Array.from({ length: 300 }, async (_, n) => {
        const begin = performance.now();
        assert.deepEqual(await initNames('shop', simplePod(`crowd-${n}`)), ours);
        return performance.now() - begin;
      }),
    );
    const { p50, p99 } = summarize(waited);
    const webhook = await admissionSeconds(world, 0.99);
    t.diagnostic(
      `300 pods created at once: p99 of the webhook at most ${webhook} s by the API server; request to answer, storage included, p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`,
    );
    const metrics = await fetch(`http://127.0.0.1:${injector.metricsPort}/metrics`).then((response) => response.text());
    assert.match(metrics, /^weft_injections_total\{outcome="injected"\} \d+$/m);
  });

  await t.test('its memory does not grow with the number of pods', async (t) => {
    const admit = async (count: number) => {
      const label = randomBytes(4).toString('hex');
      const ballast = { annotations: { ballast: 'x'.repeat(10_000) } };
      let next = 0;
      const worker = async () => {
        while (next < count) await world.createPod('shop', simplePod(`${label}-${next++}`, {}, ballast), { dryRun: 'All' });
      };
      await Promise.all(Array.from({ length: 20 }, worker));
    };
    await admit(500);
    const before = collectGarbage();
    await admit(3_000);
    const grown = (collectGarbage() - before) / 1024 / 1024;
    t.diagnostic(
      `heap of the injector before 3,000 pods of 12 KB: ${(before / 1024 / 1024).toFixed(1)} MiB, after: ${grown < 0 ? '' : '+'}${grown.toFixed(1)} MiB`,
    );
    assert.ok(grown < 6, `${grown} MiB; had it kept them, it would be more than 30`);
  });

  await t.test('what another webhook adds after it is meshed too', async () => {
    const other = await world.startOther();
    const spec = specOf(await world.createPod('shop', simplePod('shared', {}, { labels: { other: 'true' } })));
    assert.deepEqual(nameOfContainers(spec['initContainers']), [...ours, 'other-init']);
    const late = listOf(spec['containers']).find((container) => textOf(container, 'name') === 'other');
    assert.ok(isPlain(late));
    assert.deepEqual(late['lifecycle'], { preStop: { sleep: { seconds: 5 } } });
    await other.close();
  });

  await t.test('a dead injector stops the pods that ask for a sidecar, and no others', async () => {
    await injector.close();
    await assert.rejects(world.createPod('shop', simplePod('unlucky')), /failed calling webhook/);
    for (const namespace of ['kube-system', 'open', ownNamespace]) {
      const asks = { labels: { 'weft.dev/inject': 'true' } };
      assert.deepEqual(await initNames(namespace, simplePod('lucky', {}, namespace === 'open' ? {} : asks)), []);
    }
  });
});
