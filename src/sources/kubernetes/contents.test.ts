import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultMeshConfig } from '../../model/mesh-config.js';
import { keyOf } from '../../model/name.js';
import type { TrafficPolicy } from '../../model/policy.js';
import { kubernetesParsers, meshParser, trafficPolicyParser } from '../parsers.js';
import { createKindContents } from './contents.js';

const parser = kubernetesParsers['v1/Service'];
assert.ok(parser);

function service(name: string, resourceVersion: string, port: unknown = 80, uid = 'u1') {
  return { metadata: { namespace: 'shop', name, uid, resourceVersion }, spec: { clusterIP: '10.0.0.1', ports: [{ port }] } };
}

function setUp() {
  assert.ok(parser);
  let touched = 0;
  const contents = createKindContents(parser, () => touched++);
  const problems = () => [...contents.diagnostics.keys()];
  return { contents, problems, touched: () => touched };
}

const keysOf = (changes: readonly { key: string; object?: unknown }[]) => changes.map(({ key, object }) => `${object ? '+' : '-'}${key}`);

test('a version that is known already is no change', () => {
  const { contents } = setUp();
  assert.deepEqual(keysOf(contents.put(service('web', '1'))), ['+shop/web']);
  assert.deepEqual(keysOf(contents.put(service('web', '1'))), []);
  assert.deepEqual(keysOf(contents.put(service('web', '2'))), ['+shop/web']);
});

test('while an object is broken its last good version stays, with a diagnostic, until it is sound or gone', () => {
  const { contents, problems, touched } = setUp();
  contents.put(service('web', '1'));
  assert.equal(touched(), 0);
  assert.deepEqual(keysOf(contents.put(service('web', '2', 'eighty'))), []);
  assert.deepEqual(problems(), ['shop/web']);
  assert.deepEqual(keysOf(contents.put(service('web', '3', 81))), ['+shop/web']);
  assert.deepEqual(problems(), []);
  contents.put(service('web', '4', 'eighty'));
  assert.deepEqual(keysOf(contents.remove(service('web', '5', 'eighty'))), ['-shop/web']);
  assert.deepEqual(problems(), []);
});

test('an object that is broken from the start is not in force, nor is one that took the place of a good one', () => {
  const { contents } = setUp();
  assert.deepEqual(keysOf(contents.put(service('web', '1', 'eighty'))), []);
  assert.deepEqual(keysOf(contents.remove(service('web', '1', 'eighty'))), []);
  contents.put(service('web', '2', 80, 'u2'));
  assert.deepEqual(keysOf(contents.put(service('web', '3', 'eighty', 'u3'))), ['-shop/web']);
});

const problem = (object: { readonly kind: string; readonly namespace: string; readonly name: string }, message: string) => ({
  ...{ severity: 'error' as const, object, field: 'spec', reason: 'Invalid', message, remedy: 'mend it' },
});

test('while no good version is known of what protects, something stands in its place; a good version takes over, and stays when it breaks', () => {
  const name = { kind: 'TrafficPolicy', namespace: 'shop', name: 'p' };
  const policyOf = (mode: TrafficPolicy['mode'], generation: number): TrafficPolicy => ({
    ...{ key: keyOf('shop', 'p'), namespace: 'shop', name: 'p', creationTimestamp: '', generation, targetRefs: [], mode, stanzas: {} },
  });
  const generationOf = (raw: unknown) => Number(Object(raw).metadata.resourceVersion);
  const contents = createKindContents(
    trafficPolicyParser(
      (raw) => (Object(raw).isBroken ? { diagnostics: [problem(name, 'is broken')] } : { object: policyOf('Shadow', generationOf(raw)), diagnostics: [] }),
      (raw) => ({ object: policyOf('Enforce', generationOf(raw)), diagnostics: [problem(name, 'is closed')] }),
    ),
    () => undefined,
  );
  const put = (resourceVersion: string, isBroken: boolean, uid = 'u') =>
    contents
      .put({ metadata: { namespace: 'shop', name: 'p', uid, resourceVersion }, isBroken })
      .map(({ object }) => (object && 'mode' in object ? `${object.mode} ${object.generation}` : 'gone'));
  const said = () => (contents.diagnostics.get('shop/p') ?? []).map(({ message }) => message);
  assert.deepEqual([put('1', true), said()], [['Enforce 1'], ['is broken', 'is closed']]);
  assert.deepEqual(put('2', true), ['Enforce 2'], 'what stands in is no good version: the next one takes its place');
  assert.deepEqual([put('3', false), said()], [['Shadow 3'], []]);
  assert.deepEqual([put('4', true), said()], [[], ['is broken']]);
  assert.deepEqual(put('5', true, 'another'), ['Enforce 5']);
  assert.deepEqual(keysOf(contents.remove({ metadata: { namespace: 'shop', name: 'p' } })), ['-shop/p']);
  assert.deepEqual(contents.vital(), []);
});

test('a Mesh that is broken from the start is vital until it is mended or gone, and no other object is', () => {
  const parse = (raw: unknown) =>
    Object(raw).isBroken
      ? { diagnostics: [problem({ kind: 'Mesh', namespace: '', name: 'default' }, 'is broken')] }
      : { object: defaultMeshConfig, diagnostics: [] };
  const contents = createKindContents(meshParser(parse), () => undefined);
  const put = (name: string, resourceVersion: string, isBroken: boolean, uid = 'u') => {
    contents.put({ metadata: { name, uid, resourceVersion }, isBroken });
    return contents.vital().map(({ message }) => message);
  };
  assert.deepEqual(put('other', '1', true), []);
  assert.deepEqual(put('default', '2', true), ['is broken']);
  assert.deepEqual(put('default', '3', false), []);
  assert.deepEqual(put('default', '4', true), []);
  assert.deepEqual(put('default', '5', true, 'another'), [], 'the last good settings stay, whoever wrote the new ones');
  contents.remove({ metadata: { name: 'default' } });
  assert.deepEqual(put('default', '6', true), ['is broken']);
  contents.remove({ metadata: { name: 'default' } });
  assert.deepEqual(contents.vital(), []);
});

test('an object of which the mesh has no more use goes', () => {
  const { contents } = setUp();
  contents.put(service('web', '1'));
  const external = { ...service('web', '2'), spec: { type: 'ExternalName' } };
  assert.deepEqual(keysOf(contents.put(external)), ['-shop/web']);
});

test('what a new list does not name is gone, what it names unchanged is no change', () => {
  const { contents, problems } = setUp();
  for (const name of ['kept', 'changed', 'gone']) contents.put(service(name, '1'));
  contents.put(service('broken', '1', 'eighty'));
  const replacing = contents.replace();
  replacing.begin();
  replacing.object(service('gone', '1'));
  replacing.begin();
  for (const raw of [service('kept', '1'), service('changed', '2'), service('new', '2')]) replacing.object(raw);
  assert.deepEqual(keysOf(replacing.end()), ['+shop/changed', '+shop/new', '-shop/gone']);
  assert.deepEqual(problems(), []);
  assert.equal(contents.size(), 3);
});
