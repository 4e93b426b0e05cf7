/** What the proxies of pods are given for calls that come to them, where several Services lead to the same pods. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createCompiler } from '../../src/compile/compiler.js';
import type { Audience } from '../../src/compile/contract.js';
import { createController } from '../../src/controller.js';
import { policy, storeOf } from './world.js';

const pods: Audience = {
  ...{ namespace: 'shop', zone: '', client: 'captured', explicitPort: 0, serviceAccount: 'web' },
  ...{ labels: { app: 'web' }, ports: new Map() },
};
const { compile } = createCompiler({ mtls: true });

function inbound(...yaml: readonly string[]): string {
  return inboundOf(pods, ...yaml);
}

function inboundOf(audience: Audience, ...yaml: readonly string[]): string {
  return JSON.stringify(compile(storeOf(...yaml).mesh, audience, 'Listener', 'inbound-mtls').message);
}

const service = (name: string, selector: string, port = 8080) =>
  `{apiVersion: v1, kind: Service, metadata: {name: ${name}, namespace: shop}, spec: {clusterIP: None, selector: {${selector}}, ports: [{name: http, port: 80, targetPort: ${port}}]}}`;

const replicaOf = (name: string) =>
  `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, namespace: shop, labels: {app: web, statefulset.kubernetes.io/pod-name: ${name}}}}`;

const rule = (name: string) => `authorization: {rules: [{name: ${name}, matches: [{path: {value: /${name}}}]}]}`;
const everywhere = (name: string) =>
  `{apiVersion: weft.dev/v1alpha1, kind: TrafficPolicy, metadata: {name: ${name}, namespace: shop}, spec: {targetRefs: [{kind: Namespace, name: shop}], ${rule(name)}}}`;

test('a Service that names a replica and no workload has no say over others', () => {
  const listener = inbound(service('web', 'app: web'), service('debug', 'statefulset.kubernetes.io/pod-name: debug-0'), policy('open', 'debug', rule('open')));
  assert.ok(listener.includes('mtls-8080'));
  assert.doesNotMatch(listener, /open/);
});

test('a policy about the Service of one replica binds that replica alone', () => {
  const world = [service('web', 'app: web'), service('web-0', 'app: web, statefulset.kubernetes.io/pod-name: web-0'), policy('open', 'web-0', rule('open'))];
  const replicaSet = ['web-0', 'web-1'].map(replicaOf);
  const controller = createController({ store: storeOf(...replicaSet), compiler: createCompiler(), onDefect: (_, error) => assert.fail(String(error)) });
  const replica = (name: string) => {
    const who = controller.classify({ id: `shop/${name}` });
    assert.ok(typeof who === 'object');
    return inboundOf(who.audience, ...world);
  };
  assert.match(replica('web-0'), /open/);
  assert.doesNotMatch(replica('web-1'), /open/);
  assert.match(replica('web-1'), /mtls-8080/);
});

test('a policy that speaks of several Services of a port is one policy', () => {
  const one = inbound(service('web', 'app: web'), everywhere('all'));
  const three = inbound(...['web', 'web-b', 'web-c'].map((name) => service(name, 'app: web')), everywhere('all'));
  const count = (text: string) => text.split('shop/all/all').length;
  assert.ok(count(one) > 1);
  assert.equal(count(three), count(one));
});

test('a Service that is added to others of a port changes nothing of its filter chain, whatever its name', () => {
  const aged = (name: string, day: number) =>
    service(name, 'app: web').replace('namespace: shop}', `namespace: shop, creationTimestamp: "2026-01-0${day}T00:00:00Z"}`);
  const alone = inbound(aged('web', 1));
  assert.equal(inbound(aged('web', 1), aged('a', 2)), alone);
  assert.notEqual(inbound(aged('web', 2), aged('a', 1)), alone);
  assert.equal(inbound(aged('web', 1), service('a', 'app: web')), alone, 'one of unknown age is younger');
});

test('nobody leads calls to the ports of the sidecar itself', () => {
  assert.doesNotMatch(inbound(service('loop', 'app: web', 15_006)), /15006/);
});

test('a certificate of another trust domain below the same root is refused', () => {
  assert.match(
    inbound(service('web', 'app: web')),
    /"match_typed_subject_alt_names":\[\{"san_type":"URI","matcher":\{"prefix":"spiffe:\/\/cluster.local\/"\}\}\]/,
  );
});
