import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMesh } from './mesh.js';

/** A Mesh with this spec. */
function mesh(spec: unknown, name = 'default'): unknown {
  return { apiVersion: 'weft.dev/v1alpha1', kind: 'Mesh', metadata: { name, generation: 1, uid: 'x' }, ...(spec === undefined ? {} : { spec }) };
}

function problems(raw: unknown): readonly string[] {
  const { config, diagnostics } = parseMesh(raw);
  assert.equal(config, undefined);
  return diagnostics.map(({ object, field, message, remedy }) => `${object.kind} ${object.name} ${field}: ${message} (${remedy})`);
}

test('what is left out has a default', () => {
  assert.deepEqual(parseMesh(mesh(undefined)), { config: { trustDomain: 'cluster.local', egress: 'Passthrough' }, diagnostics: [] });
  assert.deepEqual(parseMesh(mesh({ egress: 'RegistryOnly' })).config, { trustDomain: 'cluster.local', egress: 'RegistryOnly' });
  assert.deepEqual(parseMesh(mesh({ trustDomain: 'mesh.example.com' })).config, { trustDomain: 'mesh.example.com', egress: 'Passthrough' });
});

test('a trust domain is a name, and egress one of two words', () => {
  for (const trustDomain of ['spiffe://a', 'A', 'a..b', 'a/b', '']) assert.match(problems(mesh({ trustDomain })).join(), /^Mesh default spec\.trustDomain: /);
  assert.deepEqual(problems(mesh({ egress: 'Registry' })), ['Mesh default spec.egress: is not one of Passthrough, RegistryOnly (did you mean RegistryOnly?)']);
  assert.match(problems(mesh({ egres: 'Passthrough' })).join(), /did you mean egress\?/);
});

test('there is one Mesh', () => {
  assert.deepEqual(problems(mesh({}, 'prod')), ['Mesh prod metadata.name: must be default (write default)']);
});

test('nothing throws, whatever comes', () => {
  for (const raw of [undefined, null, 1, [], {}, mesh(null), mesh(7)]) assert.ok(problems(raw).length > 0);
});
