import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultMeshConfig, type MeshConfig } from '../model/mesh-config.js';
import { keyOf } from '../model/name.js';
import type { TargetRef, TrafficPolicy } from '../model/policy.js';
import type { Protocol, Service } from '../model/service.js';
import type { Pod } from '../model/workload.js';
import type { Change } from './change.js';
import type { EndpointSlice, SliceEndpoint } from './objects/endpoint-slice.js';
import { createStore } from './store.js';

const service = (name: string, fields: Partial<Service> = {}, namespace = 'shop'): Change => {
  const key = keyOf(namespace, name);
  const object = { key, namespace, name, clusterIPs: [], ports: [], publishNotReadyAddresses: false, selector: {}, creationTimestamp: '', ...fields };
  return { kind: 'Service', key, object };
};
const endpoint = (address: string, fields: Partial<SliceEndpoint> = {}): SliceEndpoint => {
  return { address, ports: new Map([['http', 8080]]), ready: true, serving: true, terminating: false, zone: '', node: '', ...fields };
};
const slice = (name: string, of: string, endpoints: readonly SliceEndpoint[], namespace = 'shop'): Change => {
  const object: EndpointSlice = { key: keyOf(namespace, name), service: keyOf(namespace, of), endpoints };
  return { kind: 'EndpointSlice', key: object.key, object };
};
const origin = { uid: '', created: '', hostNetwork: false, proxy: 'None' as const };
const pod = (name: string, fields: Partial<Pod> = {}): Change => {
  const key = keyOf('shop', name);
  const object = { key, namespace: 'shop', name, addresses: [], labels: {}, serviceAccount: 'default', node: '', ports: new Map(), ...origin, ...fields };
  return { kind: 'Pod', key, object };
};
const policy = (namespace: string, name: string, targetRefs: readonly TargetRef[], fields: Partial<TrafficPolicy> = {}): Change => {
  const key = keyOf(namespace, name);
  const object: TrafficPolicy = { key, namespace, name, creationTimestamp: '', generation: 1, targetRefs, mode: 'Enforce', stanzas: {}, ...fields };
  return { kind: 'TrafficPolicy', key, object };
};
const port = (number: number, protocol: Protocol) => ({ name: `p${number}`, port: number, targetPort: number, protocol, protocolReason: 'nothing said' });
const topicsOf = (topics: ReadonlySet<string>) => [...topics].sort();

test('endpoints are joined with their Pods and Nodes, whatever comes first', () => {
  const { mesh, apply } = createStore();
  apply([slice('a', 'reviews', [endpoint('10.0.0.2', { pod: 'shop/p2' }), endpoint('10.0.0.1', { zone: 'own', pod: 'shop/p1' })])]);
  assert.deepEqual(
    mesh.endpoints('shop/reviews').map(({ address, zone, labels }) => ({ address, zone, labels })),
    [
      { address: '10.0.0.1', zone: 'own', labels: {} },
      { address: '10.0.0.2', zone: '', labels: {} },
    ],
  );
  assert.deepEqual(topicsOf(apply([pod('p2', { labels: { version: 'v2' }, node: 'n' })])), ['endpoints:shop/reviews', 'pod:shop/p2']);
  assert.deepEqual(topicsOf(apply([{ kind: 'Node', key: 'n', object: { name: 'n', zone: 'z' } }])), ['endpoints:shop/reviews', 'node:n']);
  const [first, second] = mesh.endpoints('shop/reviews');
  assert.deepEqual([first?.zone, second?.zone, second?.labels, second?.pod], ['own', 'z', { version: 'v2' }, 'shop/p2']);
});

test('where Pods are followed, an endpoint counts once its Pod is known to have the address, and no longer when that is gone', () => {
  const store = createStore({ followsPods: true });
  const addresses = () => store.mesh.endpoints('shop/web').map(({ address }) => address);
  store.apply([service('web'), slice('web-1', 'web', [endpoint('10.0.0.1', { pod: 'shop/web-1' }), endpoint('10.0.0.9')])]);
  assert.deepEqual(addresses(), ['10.0.0.9'], 'one that is no Pod counts at once');
  for (const own of [[], ['10.0.0.2']]) {
    store.apply([pod('web-1', { proxy: 'Injected', addresses: own })]);
    assert.deepEqual(addresses(), ['10.0.0.9'], `the Pod has the addresses ${own}`);
  }
  assert.ok(store.apply([pod('web-1', { proxy: 'Injected', addresses: ['10.0.0.1'] })]).has('endpoints:shop/web'));
  assert.deepEqual(addresses(), ['10.0.0.1', '10.0.0.9']);
  store.apply([{ kind: 'Pod', key: 'shop/web-1', object: undefined }]);
  assert.deepEqual(addresses(), ['10.0.0.9']);
});

test('in a folder a slice is believed, whatever addresses its Pod has', () => {
  const { mesh, apply } = createStore();
  const count = () => mesh.endpoints('shop/web').length;
  apply([slice('web', 'web', [endpoint('10.0.0.1', { pod: 'shop/p' })])]);
  assert.equal(count(), 1);
  for (const addresses of [[], ['10.0.0.2'], ['10.0.0.1']]) {
    apply([pod('p', { addresses })]);
    assert.equal(count(), 1, `${addresses}`);
  }
});

test("a Pod's address in several slices is one endpoint: the readiest entry, with the ports of all", () => {
  const { mesh, apply } = createStore();
  const ports = new Map([
    ['grpc', 9090],
    ['http', 1],
  ]);
  const old = endpoint('10.0.0.1', { ready: false, ports, zone: 'old', pod: 'shop/p' });
  apply([slice('a', 'reviews', [old]), slice('b', 'reviews', [endpoint('10.0.0.1', { zone: 'new', pod: 'shop/p' })])]);
  const [only, ...others] = mesh.endpoints('shop/reviews');
  assert.deepEqual(
    [only?.ready, only?.zone, [...(only?.ports ?? [])].sort(), others],
    [
      true,
      'new',
      [
        ['grpc', 9090],
        ['http', 8080],
      ],
      [],
    ],
  );
});

test('processes of one machine are endpoints of their own; the same port twice is one', () => {
  const { mesh, apply } = createStore();
  const at = (port: number) => endpoint('127.0.0.1', { ports: new Map([['http', port]]) });
  apply([slice('a', 'reviews', [at(2), at(1)]), slice('b', 'reviews', [at(1)])]);
  const before = mesh.endpoints('shop/reviews');
  assert.deepEqual(
    before.map(({ ports }) => ports.get('http')),
    [1, 2],
  );
  apply([slice('a', 'reviews', [at(2), at(1), at(3)])]);
  assert.deepEqual(
    mesh
      .endpoints('shop/reviews')
      .slice(0, 2)
      .map((each, index) => each === before[index]),
    [true, true],
  );
});

test('an equal object announces nothing and keeps every identity', () => {
  const { mesh, apply } = createStore();
  const world = () => [
    service('reviews', { clusterIPs: ['10.9.0.1'], ports: [port(80, 'HTTP')] }),
    slice('a', 'reviews', [endpoint('10.0.0.1', { pod: 'shop/p' })]),
    pod('p', { addresses: ['10.0.0.1'] }),
    policy('shop', 'x', [{ kind: 'Service', namespace: 'shop', name: 'reviews' }], { stanzas: { retry: { attempts: 2 } } }),
  ];
  const look = () => [
    mesh.service('shop/reviews'),
    mesh.endpoints('shop/reviews'),
    mesh.policies('shop/reviews'),
    mesh.pod('shop/p'),
    mesh.at('10.9.0.1'),
    mesh.at('10.0.0.1'),
    mesh.ports(),
  ];
  apply(world());
  const before = look();
  assert.deepEqual([...apply(world())], []);
  for (const [index, answer] of look().entries()) assert.equal(answer, before[index]);
});

test('what is equal within a changed object keeps its identity', () => {
  const { mesh, apply } = createStore();
  const ref: TargetRef = { kind: 'Service', namespace: 'shop', name: 'reviews' };
  const world = (attempts: number) => [
    service('reviews', { ports: [port(80, 'HTTP'), port(attempts, 'TCP')] }),
    slice('a', 'reviews', [endpoint('10.0.0.1'), endpoint('10.0.0.2', { zone: `${attempts}` })]),
    policy('shop', 'x', [ref], { stanzas: { retry: { attempts }, timeouts: { request: '1s' } } }),
  ];
  const look = () => [mesh.service('shop/reviews')?.ports[0], mesh.endpoints('shop/reviews')[0], mesh.policies('shop/reviews')[0]?.stanzas['timeouts']];
  apply(world(1));
  const before = look();
  assert.deepEqual(topicsOf(apply(world(2))), ['endpoints:shop/reviews', 'policies:shop/reviews', 'service:shop/reviews']);
  for (const [index, answer] of look().entries()) assert.ok(answer && answer === before[index]);
});

test('a change of one slice touches nothing of other Services', () => {
  const { mesh, apply } = createStore();
  apply(['a', 'b'].flatMap((name, index) => [service(name), slice(name, name, [endpoint(`10.0.0.${index}`)])]));
  const other = mesh.endpoints('shop/b');
  assert.deepEqual(topicsOf(apply([slice('a', 'a', [endpoint('10.0.0.0'), endpoint('10.0.0.7')])])), ['address:10.0.0.7', 'endpoints:shop/a']);
  assert.equal(mesh.endpoints('shop/b'), other);
});

test('an address tells its cluster IP and the Services behind it, headless ones first', () => {
  const { mesh, apply } = createStore();
  const shared = [endpoint('10.0.0.1')];
  apply([service('a', { clusterIPs: ['10.9.0.1'] }), service('b'), slice('a', 'a', shared), slice('b', 'b', shared), slice('lost', 'nobody', shared)]);
  assert.deepEqual(mesh.at('10.0.0.1'), { endpointOf: ['shop/b', 'shop/a'], isOfPod: false });
  assert.deepEqual(mesh.at('10.9.0.1'), { service: 'shop/a', endpointOf: [], isOfPod: false });
  assert.deepEqual(mesh.at('10.0.0.9'), { endpointOf: [], isOfPod: false });
  const topics = apply([service('a'), service('b', { clusterIPs: ['10.9.0.2'] })]);
  assert.deepEqual(topicsOf(topics), ['address:10.0.0.1', 'address:10.9.0.1', 'address:10.9.0.2', 'service:shop/a', 'service:shop/b']);
  assert.deepEqual(mesh.at('10.0.0.1').endpointOf, ['shop/a', 'shop/b']);
});

test("of a Pod's own address Services of its namespace alone have a say; of others each Service has one", () => {
  const { mesh, apply } = createStore({ followsPods: true });
  const address = '10.0.0.1';
  const tcp = { ports: [{ ...port(8080, 'TCP'), name: 'http' }] };
  const exceptions = () => mesh.ports().exceptions.map(({ namespace }) => namespace);
  apply([service('web', { clusterIPs: ['10.9.0.1'], ports: [port(8080, 'HTTP')] }), service('db', tcp), service('a', tcp, 'evil')]);
  apply([slice('db', 'db', [endpoint(address, { pod: 'shop/p' })]), slice('a', 'a', [endpoint(address)], 'evil')]);
  assert.deepEqual(mesh.at(address), { endpointOf: ['evil/a'], isOfPod: false }, 'while the Pod is not known');
  assert.deepEqual(exceptions(), ['evil']);
  const topics = apply([pod('p', { addresses: [address] })]);
  assert.deepEqual(topicsOf(topics), ['address:10.0.0.1', 'endpoints:shop/db', 'pod:shop/p', 'ports']);
  assert.deepEqual(mesh.at(address), { endpointOf: ['shop/db'], isOfPod: true });
  assert.deepEqual(exceptions(), [undefined]);
  apply([pod('p', { addresses: [address], hostNetwork: true })]);
  assert.deepEqual(mesh.at(address), { endpointOf: ['evil/a', 'shop/db'], isOfPod: false }, 'the address of a Node');
  assert.deepEqual(exceptions(), ['evil', 'shop']);
  apply([slice('db', 'db', []), pod('p', { addresses: [address] })]);
  assert.deepEqual(mesh.at(address), { endpointOf: [], isOfPod: false }, 'a Pod that no Service of its namespace leads to');
  assert.deepEqual(exceptions(), []);
});

test('nobody has a say of what a cluster IP speaks but its Service', () => {
  const { mesh, apply } = createStore();
  apply([service('web', { clusterIPs: ['10.9.0.1'], ports: [port(8080, 'HTTP')] }), service('a', { ports: [{ ...port(8080, 'TCP'), name: 'http' }] }, 'evil')]);
  const http = mesh.ports();
  apply([slice('a', 'a', [endpoint('10.9.0.1')], 'evil')]);
  assert.equal(mesh.ports(), http);
});

test('ports: where HTTP is declared, and the cluster IPs that differ there', () => {
  const { mesh, apply } = createStore();
  apply([
    service('a', { clusterIPs: ['10.9.0.1'], ports: [port(8080, 'GRPC'), port(80, 'HTTP'), port(5432, 'TCP')] }),
    service('b', { clusterIPs: ['10.9.0.2'], ports: [port(80, 'TCP')] }),
  ]);
  assert.deepEqual(mesh.ports(), { httpPorts: [80, 8080], exceptions: [{ address: '10.9.0.2', port: 80, protocol: 'TCP' }] });
  assert.deepEqual(topicsOf(apply([service('c', { clusterIPs: ['10.9.0.3'], ports: [port(80, 'HTTP'), port(5432, 'TCP')] })])), [
    'address:10.9.0.3',
    'service:shop/c',
  ]);
  assert.ok(apply([service('a'), service('c')]).has('ports'));
  assert.deepEqual(mesh.ports(), { httpPorts: [], exceptions: [] });
});

test('ports of a headless Service: its endpoints are what is called', () => {
  const { mesh, apply } = createStore();
  const at = (address: string, number: number) => endpoint(address, { ports: new Map([['p', number]]) });
  apply([
    service('web', { clusterIPs: ['10.9.0.1'], ports: [port(80, 'HTTP')] }),
    service('tcp', { ports: [{ ...port(5000, 'TCP'), name: 'p' }] }),
    service('http', { ports: [{ ...port(81, 'HTTP'), name: 'p' }] }),
  ]);
  assert.deepEqual(mesh.ports(), { httpPorts: [80, 81], exceptions: [] });
  const topics = apply([slice('tcp', 'tcp', [at('10.0.0.1', 80), at('10.0.0.2', 5000)]), slice('http', 'http', [at('10.0.0.3', 8081)])]);
  assert.ok(topics.has('ports'));
  assert.deepEqual(mesh.ports(), { httpPorts: [80, 81, 8081], exceptions: [{ address: '10.0.0.1', port: 80, protocol: 'TCP', namespace: 'shop' }] });
  assert.ok(!apply([slice('more', 'tcp', [at('10.0.0.4', 5000)])]).has('ports'));
  apply([service('tcp', { clusterIPs: ['10.9.0.2'], ports: [{ ...port(5000, 'TCP'), name: 'p' }] }), slice('http', 'http', [])]);
  assert.deepEqual(mesh.ports(), { httpPorts: [80, 81], exceptions: [] });
});

test('Pods and Namespaces are there for reports', () => {
  const { apply, pods, namespaces } = createStore();
  const shop = { name: 'shop', labels: { a: 'b' }, injectSince: '' };
  apply([pod('p1'), pod('p2'), { kind: 'Namespace', key: 'shop', object: shop }, { kind: 'Namespace', key: 'old', object: { ...shop, name: 'old' } }]);
  apply([
    { kind: 'Pod', key: 'shop/p1', object: undefined },
    { kind: 'Namespace', key: 'old', object: undefined },
  ]);
  assert.deepEqual([[...pods()].map(({ key }) => key), [...namespaces()]], [['shop/p2'], [shop]]);
});

test('the Mesh named default counts, others do not, and without it the defaults hold', () => {
  const { mesh, apply } = createStore();
  const config = (key: string, egress: MeshConfig['egress'] | undefined) =>
    topicsOf(apply([{ kind: 'Mesh', key, object: egress && { ...defaultMeshConfig, egress } }]));
  assert.deepEqual(config('default', 'Passthrough'), []);
  assert.equal(mesh.config(), defaultMeshConfig);
  assert.deepEqual(config('other', 'RegistryOnly'), []);
  assert.equal(mesh.config(), defaultMeshConfig);
  assert.deepEqual(config('default', 'RegistryOnly'), ['config']);
  assert.equal(mesh.config().egress, 'RegistryOnly');
  assert.deepEqual(config('default', undefined), ['config']);
  assert.equal(mesh.config(), defaultMeshConfig);
});

test('policies of a Service and of its Namespace, from any namespace, oldest first', () => {
  const { mesh, apply } = createStore();
  const toReviews: TargetRef = { kind: 'Service', namespace: 'shop', name: 'reviews' };
  const toShop: TargetRef = { kind: 'Namespace', namespace: 'shop', name: 'shop' };
  apply([
    service('reviews'),
    service('other'),
    policy('shop', 'undated', [toReviews]),
    policy('client', 'consumer', [toReviews], { creationTimestamp: '2026-02-01T00:00:00Z' }),
    policy('shop', 'all', [toShop, toReviews], { creationTimestamp: '2026-01-01T00:00:00Z' }),
    policy('shop', 'twin', [toReviews], { creationTimestamp: '2026-01-01T00:00:00Z' }),
  ]);
  assert.deepEqual(
    mesh.policies('shop/reviews').map(({ key }) => key),
    ['shop/all', 'shop/twin', 'client/consumer', 'shop/undated'],
  );
  assert.deepEqual(
    mesh.policies('shop/other').map(({ key }) => key),
    ['shop/all'],
  );
  assert.deepEqual(mesh.policies('shop/absent'), []);
  assert.deepEqual(topicsOf(apply([{ kind: 'TrafficPolicy', key: 'shop/all', object: undefined }])), ['policies:shop/other', 'policies:shop/reviews']);
  assert.deepEqual(topicsOf(apply([service('absent')])), ['service:shop/absent']);
});
