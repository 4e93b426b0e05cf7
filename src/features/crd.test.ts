import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printCrd } from './crd.js';
import { follow, isRecord } from './field-path.js';
import { features } from './gen/index.js';

const version = follow(printCrd(), ['spec', 'versions', '0']);
const root = follow(version, ['schema', 'openAPIV3Schema']);
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

test('what crosses fields is CEL, and so are the bounds of durations', () => {
  const rulesOf = (...path: readonly string[]) => JSON.stringify(follow(property(...path), ['x-kubernetes-validations']));
  assert.match(rulesOf('spec', 'timeouts'), /duration\(self\.backendRequest\) > duration\(self\.request\)/);
  assert.match(rulesOf('spec', 'rules'), /exists_one/);
  assert.match(rulesOf('spec', 'targetRefs', 'items'), /sectionName/);
  assert.deepEqual(follow(property('spec', 'loadBalancing', 'slowStart', 'window'), ['x-kubernetes-validations']), [
    { rule: "duration(self) >= duration('1ms')", message: 'must be at least 1ms' },
    { rule: "duration(self) <= duration('1h')", message: 'must be at most 1h' },
  ]);
});

test('lists with keys say so, and their keys are required', () => {
  const headers = property('spec', 'rules', 'items', 'matches', 'items', 'headers');
  assert.deepEqual([follow(headers, ['x-kubernetes-list-type']), follow(headers, ['x-kubernetes-list-map-keys'])], ['map', ['name']]);
  assert.deepEqual(follow(headers, ['items', 'required']), ['name', 'value']);
});

test('it is a namespaced kind with a status of its own, short names and columns', () => {
  assert.equal(follow(printCrd(), ['metadata', 'name']), 'trafficpolicies.weft.dev');
  assert.equal(follow(printCrd(), ['spec', 'scope']), 'Namespaced');
  assert.deepEqual(follow(printCrd(), ['spec', 'names', 'shortNames']), ['tp']);
  assert.deepEqual(follow(version, ['subresources']), { status: {} });
  const columns = follow(version, ['additionalPrinterColumns']);
  assert.ok(Array.isArray(columns));
  assert.deepEqual(
    columns.map((column) => follow(column, ['name'])),
    ['Target', 'Accepted', 'Programmed', 'Age'],
  );
});
