import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultSettings } from '../../inject/settings.js';
import type { AdmissionRequest } from '../../webhook/admission.js';
import { answerPod } from './answer.js';
import type { Labels } from './namespaces.js';

const wanted: Labels = { 'weft.dev/inject': 'true' };
const pod = { metadata: { name: 'web' }, spec: { containers: [{ name: 'web', image: 'web:1' }] } };
const request: AdmissionRequest = {
  ...{ uid: 'u', operation: 'CREATE', namespace: 'shop', name: 'web', kind: 'Pod', subResource: '', dryRun: false, object: pod, oldObject: undefined },
};

/** The answer where the watch knows these labels and the API server has those. */
async function answer(known: Labels | undefined, present: Labels | Error, changes: Partial<AdmissionRequest> = {}) {
  let asked = 0;
  const ask = () => {
    asked++;
    return present instanceof Error ? Promise.reject(present) : Promise.resolve(present);
  };
  const options = { namespaces: { known: () => known, ask }, settings: defaultSettings, ownNamespace: 'weft-system', newKey: () => 'abcdefghijklmnop' };
  return { ...(await answerPod({ ...request, ...changes }, options)), asked };
}

test('the API server is asked about a namespace only where the watch has not told of its label', async () => {
  for (const [known, present, outcome, times] of [
    [wanted, {}, 'injected', 0],
    [undefined, wanted, 'injected', 1],
    [{}, wanted, 'injected', 1],
    [{}, {}, 'NotWanted', 1],
  ] as const) {
    const got = await answer(known, present);
    assert.deepEqual([got.outcome, got.asked, got.answer.allowed], [outcome, times, true]);
  }
});

test('what cannot be decided is refused, in words', async () => {
  const { answer: refusal, outcome } = await answer(undefined, new Error('namespace shop cannot be read; try again'));
  assert.deepEqual(refusal, {
    allowed: false,
    message: 'the injector cannot tell whether this pod belongs in the mesh: namespace shop cannot be read; try again',
  });
  assert.equal(outcome, 'failed');
});

test('what is no new pod, or of a namespace that is never meshed, is let pass as it is', async () => {
  const others: readonly Partial<AdmissionRequest>[] = [
    ...['kube-system', 'kube-public', 'kube-node-lease', 'weft-system'].map((namespace) => ({ namespace })),
    { operation: 'UPDATE' },
    { subResource: 'ephemeralcontainers' },
    { kind: 'Service' },
    { object: undefined },
  ];
  for (const changes of others) assert.deepEqual(await answer(wanted, wanted, changes), { answer: { allowed: true }, outcome: 'ignored', asked: 0 });
});

test('whoever makes a pod that was asked for and cannot be meshed is warned', async () => {
  const object = { ...pod, spec: { ...pod.spec, hostNetwork: true } };
  const { answer: given, outcome } = await answer(wanted, wanted, { object });
  assert.equal(outcome, 'HostNetwork');
  assert.ok(given.allowed);
  assert.match(given.warnings?.join() ?? '', /^pod shop\/web is not meshed: it uses the network of its host/);
  assert.equal(given.patch, undefined);
});

test('a pod of thousands of containers and volumes, all of which change, is answered like any other', async () => {
  const many = (name: string) => Array.from({ length: 5_000 }, (_, index) => ({ name: `${name}${index}`, image: 'web:1' }));
  const object = { metadata: { name: 'web' }, spec: { initContainers: many('i'), containers: many('c'), volumes: many('v') } };
  const { answer: given, outcome } = await answer(wanted, wanted, { object });
  assert.equal(outcome, 'injected');
  assert.ok(given.allowed);
  // One hook for each container; our containers, volumes and annotation.
  assert.equal(given.patch?.length, 5_000 + 2 + 3 + 1);
});
