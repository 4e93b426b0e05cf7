import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultSettings } from '../../inject/settings.js';
import { printManifests, readManifests } from './documents.js';
import { injectAll } from './inject-all.js';

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec: { template: { spec: { containers: [{ name: web, image: "web:1" }] } } }
`;
const service = `apiVersion: v1
kind: Service
metadata:
    name: web   # odd, and to be kept
`;

const injected = (text: string) => injectAll(readManifests(text, 'a.yaml'), defaultSettings, () => 'abcdefghijklmnop');

test('documents without pods come out as they went in', () => {
  const { documents, notes, problems } = injected(`# first\n${service}---\n${deployment}---\n---\n${service}`);
  const text = printManifests(documents, 'yaml');
  const parts = text.split('---\n');
  assert.deepEqual([parts[0], parts[2], parts.length], [`# first\n${service}`, service, 3]);
  assert.match(parts[1] ?? '', /weft-proxy/);
  assert.deepEqual([notes, problems], [[], []]);
});

test('what comes out can go in again and comes out the same', () => {
  const once = printManifests(injected(`${service}---\n${deployment}`).documents, 'yaml');
  assert.equal(printManifests(injected(once).documents, 'yaml'), once);
});

test('JSON is read, and written: one object as it is, several as a List', () => {
  const json = printManifests(injected(deployment).documents, 'json');
  assert.equal(JSON.parse(json).kind, 'Deployment');
  assert.equal(printManifests(injected(json).documents, 'json'), json);
  assert.deepEqual(
    JSON.parse(printManifests(injected(`${service}---\n${deployment}`).documents, 'json')).items.map(({ kind }: { readonly kind: string }) => kind),
    ['Service', 'Deployment'],
  );
});

test('a namespace among the documents counts', () => {
  const restricted = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { pod-security.kubernetes.io/enforce: restricted } }\n';
  const { problems } = injected(`${deployment}---\n${restricted}`);
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? '', /^Deployment shop\/web: pod shop\/\.\.\. cannot be meshed: namespace shop has the label/);
});

test('what is no YAML is told with its line', () => {
  assert.throws(() => readManifests('a: 1\nb: [\n', 'a.yaml'), /a\.yaml is no YAML: .* at line 3/);
});
