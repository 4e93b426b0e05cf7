/** From a schema of ours to a structural schema of Kubernetes, which knows fewer keywords and wants a type everywhere. */
import type { TSchema } from 'typebox';
import { type CelRule, celRules, toValidation, type Validation } from './cel.js';
import { follow, isRecord } from './field-path.js';
import { durationBounds, formWords } from './fields.js';

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
  const rules = validations(schema);
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

function validations(schema: unknown): readonly Validation[] {
  const own = follow(schema, [celRules]);
  const rules = Array.isArray(own) ? own.filter(isRule) : [];
  return [...rules, ...durationRules(follow(schema, [durationBounds])), ...keyRules(schema)].map(toValidation);
}

function isRule(value: unknown): value is CelRule {
  return ['rule', 'message', 'remedy'].every((name) => typeof follow(value, [name]) === 'string');
}

function durationRules(bounds: unknown): readonly CelRule[] {
  const [min, max] = [follow(bounds, ['min']), follow(bounds, ['max'])];
  return [
    ...(typeof min === 'string' ? [durationRule('>=', min, 'at least', 'more')] : []),
    ...(typeof max === 'string' ? [durationRule('<=', max, 'at most', 'less')] : []),
  ];
}

function durationRule(operator: string, bound: string, words: string, way: string): CelRule {
  return { rule: `duration(self) ${operator} duration('${bound}')`, message: `must be ${words} ${bound}`, remedy: `write ${bound} or ${way}` };
}

/** A structural schema says nothing of the keys of a map. */
function keyRules(schema: unknown): readonly CelRule[] {
  const [patterns, form] = [follow(schema, ['patternProperties']), follow(schema, [formWords])];
  const [pattern] = isRecord(patterns) ? Object.keys(patterns) : [];
  if (pattern === undefined) return [];
  const message = `has a key that is not ${follow(form, ['expected'])}`;
  return [{ rule: `self.all(key, key.matches(r"${pattern}"))`, message, remedy: String(follow(form, ['remedy'])) }];
}
