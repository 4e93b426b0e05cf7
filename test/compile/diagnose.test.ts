import assert from 'node:assert/strict';
import test from 'node:test';
import { createCompiler } from '../../src/compile/compiler.js';
import { diagnose } from '../../src/compile/diagnose.js';
import { policy, service, storeOf } from './world.js';

/** What is wrong in a world of these documents, as `Kind namespace/name field: reason`. */
function problems(...yaml: readonly string[]): readonly string[] {
  const store = storeOf(...yaml);
  const found = diagnose({ mesh: store.mesh, services: store.services(), policies: store.policies() }, createCompiler());
  return found.map(({ object: { kind, namespace, name }, field, reason }) => `${kind} ${namespace}/${name} ${field}: ${reason}`);
}

/** A Service whose port 9000 declares this; TCP unless it says otherwise. */
function other(name: string, port: string): string {
  return `{apiVersion: v1, kind: Service, metadata: {name: ${name}, namespace: shop}, spec: {clusterIP: "10.0.9.9", ports: [{port: 9000${port}}]}}`;
}

const rules = 'rules: [{timeouts: {request: 1s}}], timeouts: {request: 2s}, connection: {connectTimeout: 1s}';

test('a cluster IP that two Services have is told to the one that gets no calls', () => {
  assert.deepEqual(problems(service('b', '10.0.0.1'), service('a', '10.0.0.1'), service('c', '10.0.0.2')), ['Service shop/b spec.clusterIP: Conflicted']);
});

test('stanzas about requests do nothing for a Service that declares no HTTP', () => {
  assert.deepEqual(problems(other('raw', ''), policy('p', 'raw', rules)), [
    'TrafficPolicy shop/p spec.rules: NotHttp',
    'TrafficPolicy shop/p spec.timeouts: NotHttp',
  ]);
  assert.deepEqual(problems(other('web', ', appProtocol: http'), policy('p', 'web', rules)), []);
});

test('a stanza about Pods of one revision binds all of them', () => {
  const of = (selector: string) => service('web', '10.0.0.1', `, selector: {${selector}}`);
  const locked = policy('p', 'web', 'tls: {mode: Strict}, timeouts: {request: 1s}');
  for (const selector of ['app: web, pod-template-hash: x', 'job-name: x'])
    assert.deepEqual(problems(of(selector), locked), ['TrafficPolicy shop/p spec.tls: Invalid']);
  for (const selector of ['app: web', 'app: web, statefulset.kubernetes.io/pod-name: web-0']) assert.deepEqual(problems(of(selector), locked), []);
});

test('a target that does not exist', () => {
  assert.deepEqual(problems(policy('p', 'absent', 'timeouts: {request: 2s}')), ['TrafficPolicy shop/p spec.targetRefs[0].name: TargetNotFound']);
});

test('what a server-side stanza asks of a port that cannot give it', () => {
  const byPath =
    'authorization: {rules: [{name: a, matches: [{path: {value: /a}}]}]}, rateLimit: {type: Local, local: {rules: [{name: each, key: ClientIdentity, limit: {requests: 1}}]}}';
  assert.deepEqual(problems(other('raw', ''), policy('p', 'raw', byPath)), [
    'TrafficPolicy shop/p spec.authorization.rules[0].matches[0]: Invalid',
    'TrafficPolicy shop/p spec.rateLimit.local.rules[0]: Invalid',
  ]);
  assert.deepEqual(problems(other('web', ', appProtocol: http'), policy('p', 'web', byPath)), []);
});
