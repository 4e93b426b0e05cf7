import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { rootCertificates } from 'node:tls';
import { applyPatch, type Operation } from 'rfc6902';
import type { Bootstrap } from '../../src/envoy/types.js';
import { injectDocument } from '../../src/inject/manifest.js';
import { inject } from '../../src/inject/patch.js';
import { sdsFiles } from '../../src/inject/sds-files.js';
import { patchBetween } from '../../src/webhook/json-patch.js';
import { rejection, temporaryFolder } from '../support/envoy.js';
import { asKubelet, format, injectCase, readInjectCases } from './cases.js';

const cases = await readInjectCases();

for (const each of cases) {
  test(`${each.name} becomes its golden file`, async () => {
    const { golden, bootstraps } = injectCase(each);
    assert.equal(golden, await readFile(join(each.folder, 'pod.golden.yaml'), 'utf8'));
    if (each.showsBootstrap) assert.equal(format(bootstraps[0]), await readFile(join(each.folder, 'bootstrap.golden.yaml'), 'utf8'));
  });

  test(`${each.name} is not changed by a second injection, which has another key at hand`, () => {
    const { document, outcomes } = injectCase(each);
    const again = injectDocument(document, () => ({ ...each.context, drainKey: 'anotherKey123456' }));
    assert.deepEqual(again.document, document);
    assert.deepEqual(
      again.outcomes.map(({ injected }) => injected.kind),
      outcomes.map(({ injected }) => injected.kind),
    );
  });
}

test('a patch leads from the pod to the injected pod', () => {
  for (const each of cases) {
    const pod = JSON.parse(JSON.stringify(each.document));
    const injected = inject(pod, each.context);
    if (injected.kind !== 'patch') continue;
    const patch: Operation[] = patchBetween(pod, injected.pod).map((operation) => structuredClone(operation));
    assert.ok(patch.length > 0);
    applyPatch(pod, patch);
    assert.deepEqual(pod, JSON.parse(JSON.stringify(injected.pod)));
  }
});

test('a pod that another version has injected follows the new one', () => {
  const plain = cases.find(({ name }) => name === 'plain');
  assert.ok(plain);
  const settings = { ...plain.context.settings, version: '0.2.0', proxyImage: 'envoy:next' };
  const newer = { ...plain.context, settings };
  const again = injectDocument(injectCase(plain).document, () => newer);
  assert.deepEqual(again.document, injectDocument(plain.document, () => newer).document);
});

test('our containers come first again when another webhook has put one before them', () => {
  const plain = cases.find(({ name }) => name === 'plain');
  assert.ok(plain);
  const first = inject(plain.document, plain.context);
  assert.ok(first.kind === 'patch');
  const other = { name: 'other', image: 'other:1' };
  const disturbed = {
    ...first.pod,
    spec: { ...first.pod.spec, initContainers: [other, ...(first.pod.spec.initContainers ?? [])], containers: [...first.pod.spec.containers, other] },
  };
  const again = inject(disturbed, plain.context);
  assert.ok(again.kind === 'patch');
  assert.deepEqual(
    again.pod.spec.initContainers?.map(({ name }) => name),
    ['weft-init', 'weft-proxy', 'other'],
  );
  assert.deepEqual(again.pod.spec.containers[1], { ...other, lifecycle: { preStop: { sleep: { seconds: 5 } } } });
});

test('the kubelet replaces nothing in a bootstrap but the address of the pod', () => {
  const plain = cases.find(({ name }) => name === 'plain');
  assert.ok(plain);
  const host = 'a$(POD_NAME)b$$c$(OTHER)';
  const { bootstraps } = injectCase({
    ...plain,
    context: { ...plain.context, settings: { ...plain.context.settings, controlPlane: { host, port: 1, serverName: host } } },
  });
  assert.ok(JSON.stringify(bootstraps).includes(JSON.stringify(host)));
  assert.equal(asKubelet('$(POD_IP) $$(POD_IP) $(NONE)'), '10.244.0.7 $(POD_IP) $(NONE)');
});

test('Envoy accepts the bootstrap of every case', async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'weft'));
  const files = sdsFiles({ folder: join(folder, 'weft'), serverName: 'weft-controller.weft-system.svc' });
  for (const [file, text] of Object.entries({ ...files, token: 'token', 'ca.crt': rootCertificates[0] ?? '' }))
    await writeFile(join(folder, 'weft', file), text);
  const texts = new Set(cases.flatMap((each) => injectCase(each).bootstraps.map((bootstrap) => JSON.stringify(bootstrap))));
  assert.ok(texts.size >= 3);
  for (const text of texts) {
    const bootstrap: Bootstrap = JSON.parse(text.replaceAll('/var/run/weft/', `${folder}/weft/`));
    assert.equal(await rejection({ ...bootstrap, node: { ...bootstrap.node, id: 'shop/web-1' } }), undefined);
  }
});
