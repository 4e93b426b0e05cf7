import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kubernetesParsers } from '../parsers.js';
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
