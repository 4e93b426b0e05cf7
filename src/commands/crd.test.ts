import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { printers } from './crd.js';

test('the chart and the reference are printed from the schemas as they are', async () => {
  for (const [file, printed] of Object.entries({ 'charts/weft/files/crds.yaml': printers.yaml(), 'docs/reference.md': printers.markdown() }))
    assert.ok((await readFile(file, 'utf8')) === printed, `${file} is out of date: run npm run generate`);
});

test('YAML has a document for each kind, and JSON one list of them', () => {
  const documents = parseAllDocuments(printers.yaml()).map((document) => document.toJS());
  assert.deepEqual(
    documents.map(({ spec }) => spec.names.kind),
    ['TrafficPolicy', 'Mesh'],
  );
  assert.deepEqual(parse(printers.json()), { apiVersion: 'v1', kind: 'List', items: documents });
});
