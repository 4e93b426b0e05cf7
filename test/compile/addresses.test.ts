/** Whose word counts about an address: EndpointSlices hold whatever address their author wrote, and no namespace changes what callers of others get. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createCompiler } from '../../src/compile/compiler.js';
import type { Audience } from '../../src/compile/contract.js';
import { changesOf, storeOf } from './world.js';

const { compile } = createCompiler({ mtls: true });
const of = (namespace: string): Audience => ({ namespace, zone: '', client: 'captured', explicitPort: 0, serviceAccount: 'c', labels: {}, ports: new Map() });

const address = '10.1.1.1';
const pod = (more = '') =>
  `{apiVersion: v1, kind: Pod, metadata: {name: web-0, namespace: shop, labels: {app: web}}, spec: {serviceAccountName: web, initContainers: [{name: weft-proxy}]${more}}, status: {podIP: ${address}}}`;
const service = (key: string, more: string, appProtocol = 'http') =>
  `{apiVersion: v1, kind: Service, metadata: {${named(key)}}, spec: {${more}, ports: [{name: p, port: 8080, appProtocol: ${appProtocol}}]}}`;
const slice = (key: string, at: string, more = '') =>
  `{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {${named(key)}, labels: {kubernetes.io/service-name: ${key.split('/')[1]}}}, addressType: IPv4, ports: [{name: p, port: 8080}], endpoints: [{addresses: [${at}]${more}}]}`;
const named = (key: string) => `namespace: ${key.split('/')[0]}, name: ${key.split('/')[1]}`;
const policy = (key: string, stanzas: string) =>
  `{apiVersion: weft.dev/v1alpha1, kind: TrafficPolicy, metadata: {${named(key)}}, spec: {targetRefs: [{kind: Service, name: ${key.split('/')[1]}}], ${stanzas}}}`;
const registryOnly = '{apiVersion: weft.dev/v1alpha1, kind: Mesh, metadata: {name: default}, spec: {egress: RegistryOnly}}';

const ofPod = ', targetRef: {kind: Pod, name: web-0, namespace: shop}';
const selecting = 'selector: {app: web}';
const leading = {
  'a headless Service': [pod(), service('shop/web', `clusterIP: None, ${selecting}`), slice('shop/web', address, ofPod)],
  'a Service with a cluster IP': [pod(), service('shop/web', `clusterIP: 10.9.9.9, ${selecting}`), slice('shop/web', address, ofPod)],
};
const redirect = 'rules: [{filters: [{type: RequestRedirect, requestRedirect: {hostname: trap.evil}}]}]';

/** What a tenant of another namespace may write, with the victim's address: `a` sorts before everything. */
const evils = {
  'without a Pod': slice('evil/a', address),
  "with the victim's Pod": slice('evil/a', address, ofPod),
  'with a Pod that there is not': slice('evil/a', address, ', targetRef: {kind: Pod, name: x}'),
};

/** All that calls to the address are given in the namespace. */
function given(yaml: readonly string[], namespace: string, at: string): readonly unknown[] {
  const { mesh } = storeOf(...yaml);
  const ask = (type: 'VirtualHost' | 'Cluster' | 'Listener', name: string) => compile(mesh, of(namespace), type, name).message;
  return [ask('VirtualHost', `out/${at}:8080`), ask('Cluster', `pod_${at}:8080`), ask('Cluster', `tcp_${at}:8080`), ask('Listener', 'outbound')];
}

for (const [who, honest] of Object.entries(leading))
  for (const [how, stolen] of Object.entries(evils))
    for (const protocol of ['http', 'tcp'])
      test(`calls to a Pod behind ${who} stay as they are when another namespace writes its address ${how}, as ${protocol}`, () => {
        const evil = [service('evil/a', 'clusterIP: None, selector: {app: web}', protocol), stolen, policy('evil/a', `${redirect}, tls: {mode: Disabled}`)];
        for (const namespace of ['shop', 'other', 'evil']) {
          const before = given(honest, namespace, address);
          assert.match(JSON.stringify(before[1]), /15008/);
          assert.deepEqual(given([...honest, ...evil], namespace, address), before, namespace);
        }
      });

test('a Pod that no Service leads to is not led to by one of another namespace, nor let out to by it', () => {
  for (const world of [[pod()], [pod(), registryOnly]])
    for (const protocol of ['http', 'tcp']) {
      const world1 = [...world, service('shop/x', 'clusterIP: 10.9.9.9')];
      const evil = [service('evil/a', 'clusterIP: None', protocol), slice('evil/a', address), policy('evil/a', redirect)];
      assert.deepEqual(given([...world1, ...evil], 'other', address), given(world1, 'other', address));
    }
});

const outside = '10.200.0.7';
const nobodys = {
  'an address outside': [outside, service('shop/x', 'clusterIP: 10.9.9.9')],
  "a Node's": [address, pod(', hostNetwork: true')],
  'a cluster IP': ['10.9.9.9', service('shop/x', 'clusterIP: 10.9.9.9')],
} as const;

for (const [what, [at, ...world]] of Object.entries(nobodys))
  test(`what a Service says of ${what} is not for callers of other namespaces`, () => {
    for (const protocol of ['http', 'tcp']) {
      const declared = [...world, service('shop/y', 'clusterIP: 10.9.9.8'), service('shop/z', 'clusterIP: None', protocol), slice('shop/z', at)];
      const evil = [service('evil/a', 'clusterIP: None', protocol === 'tcp' ? 'http' : 'tcp'), slice('evil/a', at), policy('evil/a', redirect)];
      for (const namespace of ['shop', 'other'])
        assert.deepEqual(given([...declared, ...evil], namespace, at), given(declared, namespace, at), `${protocol} ${namespace}`);
    }
  });

test('to callers of its own namespace a Service speaks for an address outside', () => {
  const world = [service('shop/z', 'clusterIP: None'), slice('shop/z', outside), policy('shop/z', redirect)];
  const { mesh } = storeOf(...world);
  const calls = (namespace: string) => JSON.stringify(compile(mesh, of(namespace), 'VirtualHost', `out/${outside}:8080`).message);
  assert.match(calls('shop'), /trap.evil/);
  assert.doesNotMatch(calls('other'), /trap.evil/);
});

test('under RegistryOnly an address that one namespace has declared may be called by all, as it is', () => {
  const store = storeOf(registryOnly);
  const vhost = () => compile(store.mesh, of('other'), 'VirtualHost', `out/${outside}:8080`);
  const tcp = () => compile(store.mesh, of('other'), 'Cluster', `tcp_${outside}:8080`);
  const before = [vhost(), tcp()];
  const topics = store.apply(changesOf(service('shop/z', 'clusterIP: None')).concat(changesOf(slice('shop/z', outside))));
  for (const { topics: asked } of before) assert.ok([...topics].some((topic) => asked.has(topic)));
  assert.match(JSON.stringify(before.map(({ message }) => message)), /Refused/);
  assert.deepEqual([JSON.stringify(vhost().message).includes('"cluster":"passthrough"'), tcp().message?.['type']], [true, 'ORIGINAL_DST']);
});

test('the listener of a namespace has the exceptions of that namespace alone', () => {
  const { mesh } = storeOf(service('shop/y', 'clusterIP: 10.9.9.8'), service('shop/z', 'clusterIP: None', 'tcp'), slice('shop/z', outside));
  const listener = (namespace: string) => compile(mesh, of(namespace), 'Listener', 'outbound').message;
  assert.match(JSON.stringify(listener('shop')), /"tcp-10.200.0.7:8080"/);
  assert.doesNotMatch(JSON.stringify(listener('other')), /"tcp-10.200.0.7:8080"/);
  assert.equal(listener('other'), listener('evil'), 'namespaces without any share theirs');
});
