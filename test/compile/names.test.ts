import assert from 'node:assert/strict';
import test from 'node:test';
import { createCompiler } from '../../src/compile/compiler.js';
import type { Audience } from '../../src/compile/contract.js';
import { service, slice, storeOf } from './world.js';

const captured: Audience = { namespace: 'shop', zone: '', client: 'captured', explicitPort: 15001, serviceAccount: 'default', labels: {}, ports: new Map() };
const explicit: Audience = { ...captured, client: 'explicit' };
const { compile, constants } = createCompiler();
const web = `{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {clusterIP: "10.0.0.3", ports: [{name: http, port: 80, targetPort: 8080}]}}`;
const six = `{apiVersion: v1, kind: Service, metadata: {name: six, namespace: shop}, spec: {clusterIP: "fd00::1", ports: [{name: http, port: 80}]}}`;
const { mesh } = storeOf(
  service('reviews', '10.0.0.1'),
  slice('reviews', { '10.1.0.1': 'a' }),
  web,
  six,
  service('db', 'None'),
  slice('db', { '10.1.0.2': 'a', '10.1.0.1': 'a' }),
);

/** Where a virtual host's last resort leads. */
function clusters(key: string, audience: Audience): readonly string[] | undefined {
  const { message, references } = compile(mesh, audience, 'VirtualHost', `out/${key}`);
  if (message) assert.deepEqual(message['domains'], [key]);
  return message && references.map(({ name }) => name);
}

const names: readonly (readonly [string, Audience, readonly string[] | undefined])[] = [
  ['reviews:9080', explicit, ['reviews.shop:9080']],
  ['reviews.shop:9080', explicit, ['reviews.shop:9080']],
  ['reviews.shop.svc:9080', explicit, ['reviews.shop:9080']],
  ['reviews.shop.svc.cluster.local:9080', explicit, ['reviews.shop:9080']],
  ['Reviews.Shop.svc.cluster.local.:9080', explicit, ['reviews.shop:9080']],
  ['web', explicit, ['web.shop:80']],
  ['web.shop', explicit, ['web.shop:80']],
  ['reviews', explicit, undefined],
  ['web', { ...explicit, namespace: 'checkout' }, undefined],
  ['web.shop.example.com', explicit, undefined],
  ['10.0.0.3', explicit, ['web.shop:80']],
  ['10.0.0.1:9080', captured, ['reviews.shop:9080']],
  ['reviews.shop:9080', captured, ['reviews.shop:9080']],
  ['[fd00::1]:80', captured, ['six.shop:80']],
  ['10.1.0.2:8080', captured, ['pod_10.1.0.2:8080']],
  ['10.0.0.1:1', captured, ['passthrough']],
  ['8.8.8.8:80', captured, ['passthrough']],
  ['8.8.8.8:80', explicit, undefined],
  ['nowhere.shop:80', captured, undefined],
  ['reviews:99999', explicit, undefined],
  ['', explicit, undefined],
  [':80', explicit, undefined],
  ['__proto__', explicit, undefined],
];

for (const [key, audience, expected] of names) {
  test(`${audience.client} in ${audience.namespace} calls ${JSON.stringify(key)}`, () => assert.deepEqual(clusters(key, audience), expected));
}

test('a pod that several Services share belongs to the headless one', () => {
  const { message } = compile(mesh, captured, 'Cluster', 'pod_10.1.0.1:8080');
  assert.equal(message?.['alt_stat_name'], 'out.db.shop.9080');
});

test('a cluster or load assignment has one name', () => {
  for (const name of [
    'reviews.shop:1',
    'reviews:9080',
    'reviews.shop:9080/b=1,a=2',
    'reviews.shop:9080/',
    'tcp_x:1',
    'pod_8.8.8.8:1',
    'pod_10.0.0.1:9080',
    '',
  ]) {
    assert.equal(compile(mesh, captured, 'Cluster', name).message, undefined, name);
    assert.equal(compile(mesh, captured, 'ClusterLoadAssignment', name).message, undefined, name);
  }
});

test('every constant is there, and Listeners are only for those they are meant for', () => {
  const audiences = [captured, explicit, { ...captured, client: 'grpc' } as const];
  for (const audience of audiences)
    for (const { type, name } of constants(audience)) assert.ok(compile(mesh, audience, type, name).message, `${audience.client} ${type} ${name}`);
  assert.equal(compile(mesh, explicit, 'Listener', 'outbound').message, undefined);
  assert.equal(compile(mesh, captured, 'Listener', 'explicit').message, undefined);
});
