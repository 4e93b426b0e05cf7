import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultMeshConfig } from '../model/mesh-config.js';
import { printCrds } from './crd.js';
import { follow, isRecord } from './field-path.js';
import { features } from './gen/index.js';

const [policyCrd, meshCrd] = printCrds();
const versionOf = (crd: unknown) => follow(crd, ['spec', 'versions', '0']);
const rootOf = (crd: unknown) => follow(versionOf(crd), ['schema', 'openAPIV3Schema']);
const version = versionOf(policyCrd);
const root = rootOf(policyCrd);
const property = (...path: readonly string[]) =>
  follow(
    root,
    path.flatMap((name) => (name === 'items' ? [name] : ['properties', name])),
  );

/** What a structural schema may hold: a list that is closed, so that a keyword of JSON Schema that Kubernetes does not know is found. */
const keywords = new Set(
  `description type format enum default pattern minLength maxLength minimum maximum minItems maxItems minProperties maxProperties required properties items
  additionalProperties x-kubernetes-list-type x-kubernetes-list-map-keys x-kubernetes-validations`.split(/\s+/),
);

/** The breaches of the rules for structural schemas (a type everywhere, known keywords) and of ours (a bound and a description everywhere). */
function* breaches(schema: unknown, path: string): Iterable<string> {
  if (!isRecord(schema)) return yield `${path} is no schema`;
  for (const keyword of Object.keys(schema)) if (!keywords.has(keyword)) yield `${path} has ${keyword}`;
  if (typeof schema['type'] !== 'string') yield `${path} has no type`;
  if (typeof schema['description'] !== 'string') yield `${path} has no description`;
  if (typeof schema['additionalProperties'] === 'boolean') yield `${path} has a boolean additionalProperties`;
  if (schema['properties'] && schema['additionalProperties']) yield `${path} has both properties and additionalProperties`;
  if (!isBounded(schema)) yield `${path} has no bound`;
  for (const [name, child] of children(schema)) yield* breaches(child, `${path}${name}`);
}

function isBounded(schema: Readonly<Record<string, unknown>>): boolean {
  const { type, additionalProperties } = schema;
  if (type === 'string') return 'maxLength' in schema || 'enum' in schema || 'format' in schema;
  if (type === 'integer') return 'maximum' in schema || 'enum' in schema;
  return type === 'array' ? 'maxItems' in schema : !additionalProperties || 'maxProperties' in schema;
}

function* children({ properties, items, additionalProperties }: Readonly<Record<string, unknown>>): Iterable<readonly [string, unknown]> {
  if (isRecord(properties)) for (const [name, child] of Object.entries(properties)) yield [`.${name}`, child];
  if (items !== undefined) yield ['[]', items];
  if (additionalProperties !== undefined) yield ['{}', additionalProperties];
}

test('spec and status are structural schemas, with bounds and a description everywhere', () => {
  assert.deepEqual([...breaches(property('spec'), 'spec')], []);
  assert.deepEqual([...breaches(property('status'), 'status')], []);
  assert.deepEqual([...breaches(follow(rootOf(meshCrd), ['properties', 'spec']), 'spec')], []);
  assert.deepEqual([...breaches(follow(rootOf(meshCrd), ['properties', 'status']), 'status')], []);
});

test('the breaches of a schema that is none are found', () => {
  const bad = {
    type: 'object',
    properties: { a: { anyOf: [] }, b: { type: 'string' }, c: { type: 'array', maxItems: 1, items: { $ref: 'x' } } },
    additionalProperties: false,
  };
  const found = [...breaches(bad, 'bad')].join('\n');
  for (const part of ['bad.a has anyOf', 'bad.b has no bound', 'bad.c[] has $ref', 'boolean additionalProperties']) assert.ok(found.includes(part), part);
});

test('every stanza is in spec, and what it needs is required', () => {
  const names = Object.keys(Object(follow(property('spec'), ['properties'])));
  assert.deepEqual(names.toSorted(), ['mode', 'targetRefs', ...features.map(({ name }) => name)].toSorted());
  assert.deepEqual(follow(property('spec'), ['required']), ['targetRefs']);
});

test('every rule tells the field and the remedy in words', () => {
  const messages = [...validationsIn(rootOf(policyCrd)), ...validationsIn(rootOf(meshCrd))].map((each) => String(follow(each, ['message'])));
  assert.ok(messages.length > 40);
  for (const message of messages) assert.match(message, /^[^;]+; \S/);
});

function* validationsIn(schema: unknown): Iterable<unknown> {
  if (!isRecord(schema)) return;
  const own = schema['x-kubernetes-validations'];
  if (Array.isArray(own)) yield* own;
  for (const child of Object.values(schema)) yield* validationsIn(child);
}

test('what crosses fields is CEL, and so are the bounds of durations', () => {
  const rulesOf = (...path: readonly string[]) => JSON.stringify(follow(property(...path), ['x-kubernetes-validations']));
  assert.match(rulesOf('spec', 'timeouts'), /duration\(self\.backendRequest\) > duration\(self\.request\)/);
  assert.match(rulesOf('spec', 'rules'), /exists_one/);
  assert.match(rulesOf('spec', 'targetRefs', 'items'), /goes with kind Service only; remove it, or name a Service/);
  assert.deepEqual(follow(property('spec', 'loadBalancing', 'slowStart', 'window'), ['x-kubernetes-validations']), [
    { rule: "duration(self) >= duration('1ms')", message: 'must be at least 1ms; write 1ms or more' },
    { rule: "duration(self) <= duration('1h')", message: 'must be at most 1h; write 1h or less' },
  ]);
});

test('lists with keys say so, and their keys are required', () => {
  const headers = property('spec', 'rules', 'items', 'matches', 'items', 'headers');
  assert.deepEqual([follow(headers, ['x-kubernetes-list-type']), follow(headers, ['x-kubernetes-list-map-keys'])], ['map', ['name']]);
  assert.deepEqual(follow(headers, ['items', 'required']), ['name', 'value']);
});

test('it is a namespaced kind with a status of its own, short names and columns', () => {
  assert.equal(follow(policyCrd, ['metadata', 'name']), 'trafficpolicies.weft.dev');
  assert.equal(follow(policyCrd, ['spec', 'scope']), 'Namespaced');
  assert.deepEqual(follow(policyCrd, ['spec', 'names', 'shortNames']), ['tp']);
  assert.deepEqual(follow(version, ['subresources']), { status: {} });
  assert.deepEqual(columnsOf(policyCrd), ['Target', 'Mode', 'Accepted', 'Programmed', 'Message', 'Age']);
});

test('a Mesh is of the cluster, and is complete where it says nothing', () => {
  assert.equal(follow(meshCrd, ['metadata', 'name']), 'meshes.weft.dev');
  assert.equal(follow(meshCrd, ['spec', 'scope']), 'Cluster');
  assert.deepEqual(columnsOf(meshCrd), ['Trust Domain', 'Egress', 'Accepted', 'Age']);
  assert.deepEqual(follow(rootOf(meshCrd), ['properties', 'spec', 'default']), defaultMeshConfig);
});

function columnsOf(crd: unknown): readonly unknown[] {
  const columns = follow(versionOf(crd), ['additionalPrinterColumns']);
  return Array.isArray(columns) ? columns.map((column) => follow(column, ['name'])) : [];
}
