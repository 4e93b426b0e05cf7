import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Diagnostic } from '../../model/diagnostic.js';
import { formatRef } from '../../model/name.js';
import { parseEndpointSlice } from './endpoint-slice.js';
import { fieldPath, fieldSteps } from './field-path.js';
import { parseNamespace } from './namespace.js';
import { parseNode } from './node.js';
import { parsePod } from './pod.js';
import { parseService } from './service.js';

const lines = (diagnostics: readonly Diagnostic[]) =>
  diagnostics.map(
    ({ severity, object, field, value, message, remedy }) => `${severity} ${formatRef(object)}: ${field}${value ? ` = ${value}` : ''} ${message}; ${remedy}`,
  );

const service = (spec: unknown) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'reviews', namespace: 'shop' }, spec });

test('a Service is cut down to what the mesh needs', () => {
  const { metadata, ...rest } = service({
    clusterIP: '10.0.0.1',
    clusterIPs: ['10.0.0.1', 'FD00:0::1'],
    publishNotReadyAddresses: true,
    selector: { app: 'reviews' },
    ports: [
      { name: 'http', port: 80, targetPort: 'web' },
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'db', port: 5432, protocol: 'TCP', nodePort: null },
    ],
  });
  assert.deepEqual(parseService({ ...rest, metadata: { ...metadata, creationTimestamp: '2026-01-01T00:00:00Z' } }), {
    object: {
      key: 'shop/reviews',
      namespace: 'shop',
      name: 'reviews',
      clusterIPs: ['10.0.0.1', 'fd00::1'],
      ports: [
        { name: 'http', port: 80, targetPort: 'web', protocol: 'HTTP', protocolReason: 'port name http' },
        { name: 'db', port: 5432, targetPort: 5432, protocol: 'TCP', protocolReason: 'port number 5432, PostgreSQL' },
      ],
      publishNotReadyAddresses: true,
      selector: { app: 'reviews' },
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    diagnostics: [],
  });
});

test('a headless Service has no cluster IP', () => {
  assert.deepEqual(parseService(service({ clusterIP: 'None', clusterIPs: ['None'], ports: null })).object?.clusterIPs, []);
});

test('a Service without namespace is in default', () => {
  assert.equal(parseService({ metadata: { name: 'a' }, spec: {} }).object?.key, 'default/a');
});

test('an ExternalName Service is left out with a warning', () => {
  const { object, diagnostics } = parseService(service({ type: 'ExternalName', externalName: 'example.com' }));
  assert.equal(object, undefined);
  assert.deepEqual(lines(diagnostics), [
    'warning Service shop/reviews: spec.type = "ExternalName" is left out of the mesh: calls to this name go to the outside as they are; use a Service with a cluster IP and EndpointSlices to mesh the calls',
  ]);
});

test('what is wrong with a Service is told by field, value and remedy', () => {
  const cases: readonly (readonly [unknown, readonly string[]])[] = [
    [{ ports: [{ port: 'eighty' }] }, ['spec.ports[0].port = "eighty" must be a whole number from 1 to 65535; write the number of the port, such as 8080']],
    [{ ports: [{ port: 70000 }] }, ['spec.ports[0].port = 70000 must be a whole number from 1 to 65535; write the number of the port, such as 8080']],
    [{ ports: [{ name: 'a' }] }, ['spec.ports[0].port is missing; write the number of the port, such as 8080']],
    [
      { ports: [{ port: 1, protocol: 'HTTP' }] },
      ['spec.ports[0].protocol = "HTTP" must be TCP, UDP or SCTP; write TCP, or leave the field out; HTTP and such belong in appProtocol'],
    ],
    [
      { ports: [{ port: 1, targetPort: true }] },
      [
        'spec.ports[0].targetPort = true must be a port number from 1 to 65535 or the name of a container port; write the number or the name of the port that the container listens on',
      ],
    ],
    [
      { clusterIPs: ['10.0.0.300'] },
      ['spec.clusterIPs[0] = "10.0.0.300" must be an IP address or None; write the IP address, None for a headless Service, or leave the field out'],
    ],
    [{ ports: [{ port: 1, name: 'a' }, { port: 2 }] }, ['spec.ports[1].name is missing, and the Service has several ports; name every port, such as http-web']],
    [
      {
        ports: [
          { port: 1, name: 'a' },
          { port: 2, name: 'a' },
        ],
      },
      ['spec.ports[1].name = "a" is the name of spec.ports[0] too; give every port a name of its own'],
    ],
    [
      {
        ports: [
          { port: 1, name: 'a' },
          { port: 1, name: 'b' },
        ],
      },
      ['spec.ports[1].port = 1 is the number of spec.ports[0] too; give every port a number of its own'],
    ],
    [undefined, ['spec is missing; add a spec with the ports of the Service']],
  ];
  for (const [spec, expected] of cases) {
    const { object, diagnostics } = parseService(service(spec));
    assert.equal(object, undefined);
    assert.deepEqual(
      lines(diagnostics),
      expected.map((line) => `error Service shop/reviews: ${line}`),
    );
  }
});

test('a name that cannot be a part of a key is refused', () => {
  const { object, diagnostics } = parseService({ metadata: { name: 'a/b', namespace: 'shop' }, spec: {} });
  assert.equal(object, undefined);
  assert.equal(parseService({ metadata: { name: 'a.b', namespace: 'shop' }, spec: {} }).object, undefined, 'a dot divides the name from the namespace');
  assert.deepEqual(lines(diagnostics), [
    'error Service shop/a/b: metadata.name = "a/b" must be a name of lower-case letters, digits and "-", at most 63 long; give the Service a name such as reviews',
  ]);
});

test('no value makes a parser throw', () => {
  for (const raw of [undefined, null, 1, 'x', [], {}, { metadata: null }, { metadata: [] }]) {
    for (const parse of [parseService, parseEndpointSlice, parsePod, parseNamespace, parseNode]) {
      const { object, diagnostics } = parse(raw);
      assert.equal(object, undefined);
      assert.ok(diagnostics.length > 0);
    }
  }
});

const slice = (fields: object) => ({
  metadata: { name: 'reviews-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'reviews' } },
  addressType: 'IPv4',
  ...fields,
});

test('an EndpointSlice: conditions left out, ports by name, Pods, zones', () => {
  const raw = slice({
    ports: [{ name: 'http', port: 8080 }, { port: 9090 }, { name: 'dns', port: 53, protocol: 'UDP' }, { name: 'none' }],
    endpoints: [
      { addresses: ['10.1.0.1'], zone: 'a', nodeName: 'n1', targetRef: { kind: 'Pod', name: 'p1' } },
      { addresses: ['10.1.0.2'], conditions: { ready: false, serving: true, terminating: true }, targetRef: { kind: 'Node', name: 'n1' } },
      { addresses: ['10.1.0.3'], conditions: { ready: false } },
    ],
  });
  const ports = new Map([
    ['http', 8080],
    ['', 9090],
  ]);
  assert.deepEqual(parseEndpointSlice(raw), {
    object: {
      key: 'shop/reviews-1',
      service: 'shop/reviews',
      endpoints: [
        { address: '10.1.0.1', ports, ready: true, serving: true, terminating: false, zone: 'a', node: 'n1', pod: 'shop/p1' },
        { address: '10.1.0.2', ports, ready: false, serving: true, terminating: true, zone: '', node: '', pod: undefined },
        { address: '10.1.0.3', ports, ready: false, serving: false, terminating: false, zone: '', node: '', pod: undefined },
      ],
    },
    diagnostics: [],
  });
});

test('IPv6 addresses get one spelling', () => {
  const { object } = parseEndpointSlice(slice({ addressType: 'IPv6', endpoints: [{ addresses: ['FD00:0:0::00A'] }] }));
  assert.deepEqual(
    object?.endpoints.map(({ address }) => address),
    ['fd00::a'],
  );
});

test('slices of host names, and slices without a Service, are left out with a warning', () => {
  const fqdn = parseEndpointSlice(slice({ addressType: 'FQDN', endpoints: [{ addresses: ['example.com'] }] }));
  assert.deepEqual(
    [fqdn.object, lines(fqdn.diagnostics)],
    [
      undefined,
      [
        'warning EndpointSlice shop/reviews-1: addressType = "FQDN" is left out of the mesh: endpoints are IP addresses; use addressType IPv4 or IPv6 with addresses',
      ],
    ],
  );
  const lost = parseEndpointSlice({ metadata: { name: 'x' }, addressType: 'IPv4' });
  assert.deepEqual(
    [lost.object, lines(lost.diagnostics)],
    [
      undefined,
      [
        'warning EndpointSlice default/x: metadata.labels["kubernetes.io/service-name"] is missing, so that these endpoints belong to no Service; add the label kubernetes.io/service-name with the name of the Service',
      ],
    ],
  );
});

test('an address of the other type is an error', () => {
  const { object, diagnostics } = parseEndpointSlice(slice({ endpoints: [{ addresses: ['10.0.0.1', 'fd00::1'] }] }));
  assert.equal(object, undefined);
  assert.deepEqual(lines(diagnostics), [
    'error EndpointSlice shop/reviews-1: endpoints[0].addresses[1] = "fd00::1" must be an IPv4 address; correct the address, or the addressType of the slice',
  ]);
});

test('a Pod is cut down to what the mesh needs, and one that has ended has no address', () => {
  const raw = (phase: string) => ({
    metadata: { name: 'p1', namespace: 'shop', labels: { app: 'reviews' }, uid: 'u1', creationTimestamp: '2026-01-01T00:00:00Z', deletionTimestamp: null },
    spec: {
      hostNetwork: true,
      nodeName: 'n1',
      serviceAccountName: 'reviews',
      initContainers: [{ name: 'weft-proxy', ports: [{ name: 'metrics', containerPort: 9090 }] }],
      containers: [{ ports: [{ name: 'http', containerPort: 8080 }, { containerPort: 1 }, { name: 'dns', containerPort: 53, protocol: 'UDP' }] }],
    },
    status: { phase, podIP: '10.1.0.1', podIPs: [{ ip: '10.1.0.1' }, { ip: 'fd00:0::1' }] },
  });
  const expected = {
    ...{ key: 'shop/p1', namespace: 'shop', name: 'p1', labels: { app: 'reviews' }, serviceAccount: 'reviews', node: 'n1' },
    ...{ uid: 'u1', created: '2026-01-01T00:00:00Z', hostNetwork: true, proxy: 'Injected' },
    ports: new Map([
      ['metrics', 9090],
      ['http', 8080],
    ]),
  };
  assert.deepEqual(parsePod(raw('Running')).object, { ...expected, addresses: ['10.1.0.1', 'fd00::1'] });
  assert.deepEqual(parsePod(raw('Succeeded')).object, { ...expected, addresses: [] });
  const bare = parsePod({ metadata: { name: 'p' } }).object;
  assert.deepEqual([bare?.serviceAccount, bare?.node, bare?.addresses], ['default', '', []]);
  assert.deepEqual([bare?.uid, bare?.created, bare?.hostNetwork, bare?.proxy], ['', '', false, 'None']);
});

test('a Node has a zone, a Namespace its labels', () => {
  assert.deepEqual(parseNode({ metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'a' } } }).object, { name: 'n1', zone: 'a' });
  assert.deepEqual(parseNode({ metadata: { name: 'n1' } }).object, { name: 'n1', zone: '' });
  assert.deepEqual(parseNamespace({ metadata: { name: 'shop', labels: { a: 'b' } } }).object, { name: 'shop', labels: { a: 'b' }, injectSince: '' });
  assert.deepEqual(lines(parseNode({ metadata: { name: 'n1', labels: { 'a/b': 1 } } }).diagnostics), [
    'error Node n1: metadata.labels["a/b"] = 1 must be text; put the value in quotation marks',
  ]);
});

test('a Namespace knows since when it has asked for sidecars', () => {
  const fieldsV1 = { 'f:metadata': { 'f:labels': { 'f:weft.dev/inject': {} } } };
  const managedFields = [
    { time: '2026-01-03T00:00:00Z', fieldsV1: { 'f:metadata': { 'f:labels': { 'f:team': {} } } } },
    { time: '2026-01-02T00:00:00Z', fieldsV1 },
    { time: '2026-01-01T00:00:00Z', fieldsV1 },
  ];
  assert.equal(parseNamespace({ metadata: { name: 'shop', managedFields } }).object?.injectSince, '2026-01-02T00:00:00Z');
});

test('field paths are read as they are written', () => {
  const steps = ['spec', 'rules', '0', 'a.b/c"d', 'x-y'];
  assert.equal(fieldPath(steps), 'spec.rules[0]["a.b/c\\"d"].x-y');
  assert.deepEqual(fieldSteps(fieldPath(steps)), steps);
  assert.deepEqual(fieldSteps('spec.rules[beta-testers].filters[1]'), ['spec', 'rules', 'beta-testers', 'filters', '1']);
});
