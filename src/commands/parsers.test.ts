import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultMeshConfig } from '../model/mesh-config.js';
import { loadFolder } from '../sources/files.js';
import { parsers } from './parsers.js';

test('a folder may hold the Mesh, which is of the cluster, and a policy', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'weft-parsers-'));
  t.after(() => rm(folder, { recursive: true }));
  const head = 'apiVersion: weft.dev/v1alpha1\n';
  const mesh = (name: string) => `${head}kind: Mesh\nmetadata: {name: ${name}}\nspec: {egress: RegistryOnly}\n`;
  const policy = `${head}kind: TrafficPolicy\nmetadata: {name: a, namespace: shop}\nspec: {targetRefs: [{kind: Service, name: a}]}\n`;
  await writeFile(join(folder, 'all.yaml'), [mesh('default'), mesh('prod'), policy].join('---\n'));
  const { changes, diagnostics } = await loadFolder(folder, parsers);
  assert.deepEqual(
    changes.map(({ kind, key }) => `${kind} ${key}`),
    ['Mesh default', 'TrafficPolicy shop/a'],
  );
  assert.deepEqual(changes.find(({ kind }) => kind === 'Mesh')?.object, { ...defaultMeshConfig, egress: 'RegistryOnly' });
  assert.deepEqual(
    diagnostics.map(({ object, field, origin }) => [object, field, origin?.line]),
    [[{ kind: 'Mesh', namespace: '', name: 'prod' }, 'metadata.name', 8]],
  );
});
