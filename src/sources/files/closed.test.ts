/** What is served of a folder in which something cannot be read that protects. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../../../test/support/envoy.js';
import { parsers } from '../../commands/parsers.js';
import { formatRef } from '../../model/name.js';
import { loadFolder, watchFolder } from '../files.js';

const limit = { timeout: 20_000 };

async function folder(context: TestContext, files: Readonly<Record<string, string>>) {
  const dir = await temporaryFolder(context);
  const write = (path: string, text: string) => writeFile(join(dir, path), text);
  for (const [path, text] of Object.entries(files)) await write(path, text);
  return { dir, write };
}

const weft = (kind: string, metadata: string, spec: string, version = 'v1alpha1') =>
  `apiVersion: weft.dev/${version}\nkind: ${kind}\nmetadata: ${metadata}\nspec: ${spec}\n`;
const guarded = (timeouts: string, extra = '') =>
  weft(
    'TrafficPolicy',
    '{name: p, namespace: shop}',
    `{targetRefs: [{kind: Service, name: web}], authorization: {defaultAction: Deny}, timeouts: ${timeouts}}${extra}`,
  );

/** Policies in force and what is said, with the parsers that Weft has. */
async function closed(context: TestContext, files: Readonly<Record<string, string>>) {
  const { dir } = await folder(context, files);
  const { changes, diagnostics } = await loadFolder(dir, parsers);
  const policies = changes.flatMap((change) => (change.kind === 'TrafficPolicy' && change.object ? [change.object] : []));
  return {
    policies: policies.map(({ key, targetRefs, stanzas }) => `${key} ${targetRefs.map(({ kind, name }) => `${kind} ${name}`)} ${Object.keys(stanzas)}`),
    said: diagnostics.filter(({ reason }) => reason === 'Closed').map(({ origin, field }) => `${origin?.file}:${origin?.line} ${field}`),
  };
}

test('a policy that protects and cannot be read closes its targets; of a document that is no YAML, or of another version, all that it may be about', async (context) => {
  const broken = { policies: ['shop/p Service web authorization'], said: ['a.yaml:4 spec.authorization'] };
  const all = { ...broken, policies: ['shop/p Namespace shop authorization'] };
  assert.deepEqual(await closed(context, { 'a.yaml': guarded('5') }), broken);
  assert.deepEqual(await closed(context, { 'a.yaml': guarded('5', ' }') }), all);
  assert.deepEqual(await closed(context, { 'a.yaml': guarded('{}').replace('v1alpha1', 'v1') }), broken);
  const good = { policies: ['shop/p Service web authorization,timeouts'], said: [] };
  assert.deepEqual(await closed(context, { 'a.yaml': guarded('5'), 'b.yaml': guarded('{request: 1s}') }), good, 'a good version in another file counts');
});

test('while it is followed, a good version stays when it breaks, and one that was closed opens when it is mended', limit, async (context) => {
  const { dir, write } = await folder(context, { 'a.yaml': guarded('5') });
  const stanzas = new Set<string>();
  let heard = () => {};
  const until = async (condition: () => boolean) => {
    while (!condition())
      await new Promise<void>((resolve) => {
        heard = resolve;
      });
  };
  let errors = 0;
  const watch = await watchFolder({
    ...{ dir, parsers },
    onChange: (changes) => {
      for (const { object } of changes) if (object && 'stanzas' in object) stanzas.add(Object.keys(object.stanzas).join());
      heard();
    },
    onDiagnostics: (all) => {
      errors = all.length;
      heard();
    },
  });
  context.after(watch.close);
  await until(() => stanzas.has('authorization') && errors === 2);
  await write('a.yaml', guarded('{request: 1s}'));
  await until(() => stanzas.has('authorization,timeouts') && errors === 0);
  stanzas.clear();
  await write('a.yaml', guarded('6'));
  await until(() => errors === 1);
  assert.deepEqual([...stanzas], []);
});

test('a Mesh that cannot be read is vital, whatever is wrong with it; none at all, and one by another name, are not', async (context) => {
  const vital = async (text: string) => {
    const { dir } = await folder(context, { 'a.yaml': text });
    const watch = await watchFolder({ dir, parsers, onChange: () => undefined });
    await watch.ready;
    await watch.close();
    return watch.vital().map(({ object, origin }) => `${origin?.line} ${formatRef(object)}`);
  };
  const mesh = (spec: string, name = 'default', version = 'v1alpha1') => weft('Mesh', `{name: ${name}}`, spec, version);
  assert.deepEqual(await vital(mesh('{mtls: Stirct}')), ['4 Mesh default']);
  assert.deepEqual(await vital(mesh('{mtls: Strict} }')), ['4 Mesh default']);
  assert.deepEqual(await vital(mesh('{mtls: Strict}', 'default', 'v2')), ['1 Mesh default']);
  for (const fine of [mesh('{mtls: Strict}'), mesh('{mtls: Stirct}', 'other'), 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n'])
    assert.deepEqual(await vital(fine), []);
});
