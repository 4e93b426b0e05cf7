/** Whatever happens to the store, and in whichever order: it is as one built afresh. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { filingsOf } from '../model/labels.js';
import type { Mesh } from '../model/mesh.js';
import { defaultMeshConfig, type MeshConfig } from '../model/mesh-config.js';
import { type Key, keyOf } from '../model/name.js';
import type { TargetRef } from '../model/policy.js';
import type { Protocol } from '../model/service.js';
import type { Pod } from '../model/workload.js';
import type { Change } from './change.js';
import { createStore } from './store.js';

const names = ['a', 'b', 'c'];
const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.9.0.1', '10.9.0.2'];
const nodes = ['n1', 'n2'];
const namespaces = ['shop', 'ops'];
const keys = namespaces.flatMap((namespace) => names.map((name) => keyOf(namespace, name)));
const arbitraryKey = fc.constantFrom(...keys);
const orGone = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined, freq: 4 });
const few = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(arbitrary, { maxLength: 3 });
const parts = (key: Key) => ({ key, namespace: key.slice(0, key.indexOf('/')), name: key.slice(key.indexOf('/') + 1) });
const arbitraryPort = fc.record({
  ...{ name: fc.constantFrom('http', 'tcp'), port: fc.constantFrom(80, 90), targetPort: fc.constant(1) },
  ...{ protocol: fc.constantFrom<Protocol>('HTTP', 'TCP', 'GRPC'), protocolReason: fc.constant('nothing said') },
});
const arbitraryService = fc.record({
  clusterIPs: fc.uniqueArray(fc.constantFrom(...addresses), { maxLength: 2 }),
  ports: few(arbitraryPort),
  publishNotReadyAddresses: fc.boolean(),
  creationTimestamp: fc.constantFrom('', '2026-01-01T00:00:00Z'),
  selector: fc.constantFrom({}, { v: '1' }, { v: '1', w: '1' }, { w: '1' }, { 'statefulset.kubernetes.io/pod-name': 'a' }),
});
const arbitraryEndpoint = fc.record({
  ...{
    address: fc.constantFrom(...addresses),
    ports: fc.constantFrom(new Map([['http', 80]]), new Map([['tcp', 90]]), new Map([['tcp', 80]])),
    ready: fc.boolean(),
    serving: fc.boolean(),
  },
  ...{ terminating: fc.boolean(), zone: fc.constantFrom('', 'z1'), node: fc.constantFrom('', ...nodes), pod: fc.option(arbitraryKey, { nil: undefined }) },
});
const arbitraryPod = fc.record({
  addresses: fc.uniqueArray(fc.constantFrom(...addresses), { maxLength: 2 }),
  hostNetwork: fc.boolean(),
  labels: fc.constantFrom({}, { v: '1' }, { v: '1', w: '1' }),
  node: fc.constantFrom('', ...nodes),
  proxy: fc.constantFrom<Pod['proxy']>('Injected', 'None'),
  serviceAccount: fc.constantFrom('default', 'other'),
});
const arbitraryRef = fc.record({
  kind: fc.constantFrom<TargetRef['kind']>('Service', 'Namespace'),
  namespace: fc.constantFrom(...namespaces),
  name: fc.constantFrom(...names, ...namespaces),
});
const arbitraryPolicy = fc.record({
  creationTimestamp: fc.constantFrom('', '2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'),
  targetRefs: few(arbitraryRef),
  generation: fc.nat(2),
});
const arbitraryChange: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(arbitraryKey, orGone(arbitraryService)).map(([key, object]): Change => ({ kind: 'Service', key, object: object && { ...parts(key), ...object } })),
  fc
    .tuple(arbitraryKey, arbitraryKey, orGone(few(arbitraryEndpoint)))
    .map(([key, of, endpoints]): Change => ({ kind: 'EndpointSlice', key, object: endpoints && { key, service: of, endpoints } })),
  fc.tuple(arbitraryKey, orGone(arbitraryPod)).map(([key, object]): Change => {
    return { kind: 'Pod', key, object: object && { ...parts(key), ports: new Map(), uid: '', created: '', ...object } };
  }),
  fc
    .tuple(fc.constantFrom(...nodes), orGone(fc.constantFrom('', 'z1', 'z2')))
    .map(([key, zone]): Change => ({ kind: 'Node', key, object: zone === undefined ? undefined : { name: key, zone } })),
  fc
    .tuple(arbitraryKey, orGone(arbitraryPolicy))
    .map(([key, object]): Change => ({ kind: 'TrafficPolicy', key, object: object && { ...parts(key), mode: 'Enforce', stanzas: {}, ...object } })),
  fc
    .tuple(fc.constantFrom('default', 'other'), orGone(fc.constantFrom<MeshConfig['egress']>('Passthrough', 'RegistryOnly')))
    .map(([key, egress]): Change => ({ kind: 'Mesh', key, object: egress && { ...defaultMeshConfig, egress } })),
);

const filings = namespaces.flatMap((namespace) => filingsOf(namespace, { v: '1', w: '1' }));

/** Every look-up that can be asked in this small world, by topic. */
function everyAnswer(mesh: Mesh): ReadonlyMap<string, unknown> {
  const perKey = keys.flatMap((key): [string, unknown][] => [
    [`service:${key}`, mesh.service(key)],
    [`endpoints:${key}`, mesh.endpoints(key)],
    [`policies:${key}`, mesh.policies(key)],
    [`identities:${key}`, mesh.identities(key)],
    [`pod:${key}`, mesh.pod(key)],
  ]);
  const perAddress = addresses.map((address): [string, unknown] => [`address:${address}`, mesh.at(address)]);
  return new Map([
    ...perKey,
    ...perAddress,
    ...filings.map((filing): [string, unknown] => [`selecting:${filing}`, mesh.selecting(filing)]),
    ...nodes.map((node): [string, unknown] => [`node:${node}`, mesh.zone(node)]),
    ['ports', mesh.ports()],
    ['config', mesh.config()],
  ]);
}

test('after any changes the store is as one built afresh, and announced exactly what answers differently', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(arbitraryChange, { maxLength: 4 }), { maxLength: 12 }),
      fc.infiniteStream(fc.nat(1_000)),
      fc.boolean(),
      (batches, random, followsPods) => {
        const { mesh, apply } = createStore({ followsPods });
        const present = new Map<string, Change>();
        for (const batch of batches) {
          const before = everyAnswer(mesh);
          const topics = apply(batch);
          const after = everyAnswer(mesh);
          for (const [topic, answer] of after) {
            const isSame = isDeepStrictEqual(before.get(topic), answer);
            assert.equal(topics.has(topic), !isSame, topic);
            if (isSame) assert.equal(before.get(topic), answer, `identity of ${topic}`);
          }
          for (const change of batch) present.set(`${change.kind} ${change.key}`, change);
        }
        const shuffled = [...present.values()]
          .filter(({ object }) => object)
          .map((change) => ({ change, at: random.next().value ?? 0 }))
          .sort((a, b) => a.at - b.at);
        const fresh = createStore({ followsPods });
        for (const { change } of shuffled) fresh.apply([change]);
        assert.deepEqual(everyAnswer(mesh), everyAnswer(fresh.mesh));
      },
    ),
    { numRuns: 500 },
  );
});
