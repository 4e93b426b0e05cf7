import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { createCompiler } from '../../src/compile/compiler.js';
import { encodeAny } from '../../src/envoy/encode.js';
import { features } from '../../src/features/gen/index.js';
import { issueSvid, makeAuthority } from '../../src/identity/x509.js';
import { leafName, rootsName } from '../../src/model/secret-names.js';
import { rejection } from '../support/envoy.js';
import { formatRendered, readCases, renderCase } from './cases.js';
import { toBootstrap } from './static.js';
import { meshOf } from './world.js';

const cases = await readCases();
const runs = cases.flatMap((each) => Object.entries(each.audiences).map(([name, audience]) => ({ each, name, audience, label: `${each.name}/${name}` })));

for (const { each, name, audience, label } of runs) {
  test(`${label} compiles to its golden file`, async () => {
    assert.equal(formatRendered(renderCase(each, audience)), await readFile(join(each.folder, 'out', `${name}.yaml`), 'utf8'));
  });

  test(`${label} compiles to the same bytes in whatever order its objects arrive`, () => {
    const bytes = (order: typeof each.world.changes) => renderCase(each, audience, order).resources.map(({ message }) => encodeAny(message).toString('hex'));
    const { changes } = each.world;
    const expected = bytes(changes);
    assert.deepEqual(bytes(changes.toReversed()), expected);
    for (let step = 1; step < changes.length; step++) assert.deepEqual(bytes([...changes.slice(step), ...changes.slice(0, step)]), expected);
  });
}

test('the policies of all cases are sound, where that is not the point', () => {
  assert.deepEqual(
    cases.flatMap(({ world, broken }) => (broken ? [] : world.diagnostics)),
    [],
  );
});

test('every stanza has a case', () => {
  const used = new Set(
    cases.flatMap(({ world }) =>
      world.changes.flatMap((change) => (change.kind === 'TrafficPolicy' && change.object ? Object.keys(change.object.stanzas) : [])),
    ),
  );
  assert.deepEqual(
    features.map(({ name }) => name).filter((name) => !used.has(name)),
    [],
  );
});

test('every reference leads to a resource, and every cluster of a route is a reference', () => {
  for (const { each, audience, label } of runs) {
    const compiler = createCompiler({ mtls: each.mtls });
    const mesh = meshOf(each.world.changes);
    for (const { type, name, message } of renderCase({ ...each, constants: true }, audience).resources) {
      const { references } = compiler.compile(mesh, audience, type, name);
      // Secrets are nothing that the compiler makes.
      for (const reference of references.filter((one) => one.type !== 'Secret'))
        assert.ok(compiler.compile(mesh, audience, reference.type, reference.name).message, `${label}: ${type} ${name} refers to ${reference.name}`);
      const named =
        type === 'VirtualHost' ? [...JSON.stringify(message).matchAll(/"(?:cluster|name)":"([^"]+:[0-9]+[^"]*)"/g)].map(([, cluster]) => cluster) : [];
      const clusters = named.filter((cluster) => cluster !== name);
      assert.deepEqual(
        [...new Set(clusters)].sort(),
        type === 'VirtualHost' ? references.map((reference) => reference.name).filter((reference) => reference.includes(':')) : [],
        label,
      );
    }
  }
});

test('Envoy accepts every resource of every case', async () => {
  const labelled = runs.map(({ each, audience, label }) => ({ label, resources: renderCase(each, audience).resources }));
  assert.equal(await rejection(toBootstrap(labelled, await makeSecrets())), undefined);
});

/** Those that sidecars refer to. */
async function makeSecrets() {
  const validity = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000 };
  const authority = await makeAuthority(validity);
  const { certificate, key } = await issueSvid(authority, 'spiffe://cluster.local/ns/shop/sa/reviews', validity);
  return [
    { name: leafName, tls_certificate: { certificate_chain: { inline_string: certificate }, private_key: { inline_string: key } } },
    { name: rootsName, validation_context: { trusted_ca: { inline_string: authority.certificate } } },
  ];
}
