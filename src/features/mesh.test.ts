import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultMeshConfig } from '../model/mesh-config.js';
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
  assert.deepEqual(parseMesh(mesh(undefined)), { config: defaultMeshConfig, diagnostics: [] });
  assert.deepEqual(parseMesh(mesh({ egress: 'RegistryOnly' })).config, { ...defaultMeshConfig, egress: 'RegistryOnly' });
  assert.deepEqual(parseMesh(mesh({ trustDomain: 'mesh.example.com' })).config, { ...defaultMeshConfig, trustDomain: 'mesh.example.com' });
  const telemetry = { accessLog: { mode: 'Errors' }, tracing: {}, collector: { host: 'otel.monitoring.svc' } };
  assert.deepEqual(parseMesh(mesh({ telemetry })).config?.telemetry, {
    metrics: { mode: 'Enabled' },
    accessLog: { mode: 'Errors', output: 'Stdout' },
    tracing: { samplingPercent: 1 },
    collector: { host: 'otel.monitoring.svc', port: 4317 },
  });
});

test('traces and records need somewhere to go', () => {
  assert.deepEqual(problems(mesh({ telemetry: { tracing: { samplingPercent: 1 } } })), [
    'Mesh default spec.telemetry.tracing: has nowhere to send traces (set collector, or remove tracing)',
  ]);
  assert.deepEqual(problems(mesh({ telemetry: { accessLog: { output: 'OpenTelemetry' } } })), [
    'Mesh default spec.telemetry.accessLog: has nowhere to send its records (set collector, or output: Stdout)',
  ]);
  for (const host of ['http://otel', 'otel:4317', 'OTEL', ''])
    assert.match(problems(mesh({ telemetry: { collector: { host } } })).join(), /spec\.telemetry\.collector\.host/);
  assert.match(
    problems(mesh({ telemetry: { tracing: { samplingPercent: 101 }, collector: { host: 'a' } } })).join(),
    /spec\.telemetry\.tracing\.samplingPercent/,
  );
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
