/** From a schema of ours to a structural schema of Kubernetes, which knows fewer keywords and wants a type everywhere. */
import type { TSchema } from 'typebox';
import { follow, isRecord } from './field-path.js';
import { type CelRule, durationBounds } from './fields.js';

/** A structural schema (OpenAPI v3 as a CustomResourceDefinition takes it). */
export type StructuralSchema = Readonly<Record<string, unknown>>;

/** Keywords that mean the same on both sides. */
const kept = [
  'description',
  'type',
  'enum',
  'default',
  'format',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'required',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
] as const;

const maxInt32 = 2 ** 31 - 1;

/** The structural form of a schema. What it cannot say (that no other fields are allowed) the API server does by itself: it prunes them. */
export function structural(schema: TSchema): StructuralSchema {
  return convert(schema);
}

function convert(schema: unknown): StructuralSchema {
  const same = kept.flatMap((keyword) => {
    const value = follow(schema, [keyword]);
    return value === undefined ? [] : [[keyword, value]];
  });
  const rules = celRules(schema);
  return {
    ...Object.fromEntries(same),
    ...typeOf(schema),
    ...propertiesOf(schema),
    ...(rules.length > 0 ? { 'x-kubernetes-validations': rules } : {}),
  };
}

/** Enums of ours have no type, and whole numbers a format by their size. */
function typeOf(schema: unknown): StructuralSchema {
  const values = follow(schema, ['enum']);
  if (Array.isArray(values)) return values.every((value) => typeof value === 'string') ? { type: 'string' } : { type: 'integer', format: 'int32' };
  const maximum = follow(schema, ['maximum']);
  if (follow(schema, ['type']) === 'integer') return { format: typeof maximum === 'number' && maximum <= maxInt32 ? 'int32' : 'int64' };
  return {};
}

function propertiesOf(schema: unknown): StructuralSchema {
  const [properties, patterns, items] = [follow(schema, ['properties']), follow(schema, ['patternProperties']), follow(schema, ['items'])];
  const values = isRecord(patterns) ? Object.values(patterns)[0] : undefined;
  return {
    ...(isRecord(properties) ? { properties: Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, convert(property)])) } : {}),
    ...(values === undefined ? {} : { additionalProperties: convert(values) }),
    ...(items === undefined ? {} : { items: convert(items) }),
  };
}

function celRules(schema: unknown): readonly CelRule[] {
  const own = follow(schema, ['x-kubernetes-validations']);
  return [...(Array.isArray(own) ? own : []), ...durationRules(follow(schema, [durationBounds]))];
}

function durationRules(bounds: unknown): readonly CelRule[] {
  const [min, max] = [follow(bounds, ['min']), follow(bounds, ['max'])];
  return [
    ...(typeof min === 'string' ? [{ rule: `duration(self) >= duration('${min}')`, message: `must be at least ${min}` }] : []),
    ...(typeof max === 'string' ? [{ rule: `duration(self) <= duration('${max}')`, message: `must be at most ${max}` }] : []),
  ];
}
