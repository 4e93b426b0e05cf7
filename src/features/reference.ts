/** The reference of TrafficPolicy and Mesh in Markdown, printed from the schemas: one section a stanza, one table an object. */
import { follow, isRecord } from './field-path.js';
import { durationBounds } from './fields.js';
import { features } from './gen/index.js';
import { meshSpecSchema } from './mesh-schema.js';
import { apiVersion } from './object-schema.js';
import { specSchema } from './policy-schema.js';

/** The whole page; what `docs/reference.md` is written from. */
export function printReference(): string {
  const stanzas: ReadonlyMap<string, string> = new Map(features.map(({ name, side }) => [name, side]));
  const fields = fieldsOf(specSchema);
  const own = fields.filter(({ name }) => !stanzas.has(name));
  return [
    '# TrafficPolicy reference',
    '',
    `\`${apiVersion}\`, namespaced. Printed from the schemas that check a policy; durations are written as in the Gateway API (\`250ms\`, \`10s\`, \`1m30s\`).`,
    '',
    '## spec',
    '',
    ...section(specSchema, (name) => !stanzas.has(name)),
    ...own.flatMap(({ name, schema }) => nested(`spec.${name}`, schema, 3)),
    ...fields.flatMap(({ name, schema }) => (stanzas.has(name) ? stanza(name, schema, stanzas.get(name)) : [])),
    ...meshReference(),
  ].join('\n');
}

function meshReference(): readonly string[] {
  const about = `\`${apiVersion}\`, of the cluster. There is one, called \`default\`; without it the defaults hold.`;
  return ['# Mesh reference', '', about, '', '## spec of a Mesh', '', ...section(meshSpecSchema, () => true)];
}

interface FieldRow {
  readonly name: string;
  readonly schema: unknown;
  readonly required: boolean;
}

function fieldsOf(schema: unknown): readonly FieldRow[] {
  const [properties, required] = [follow(schema, ['properties']), follow(schema, ['required'])];
  return Object.entries(isRecord(properties) ? properties : {}).map(([name, field]) => ({
    name,
    schema: field,
    required: Array.isArray(required) && required.includes(name),
  }));
}

function stanza(name: string, schema: unknown, side = ''): readonly string[] {
  const who = side === 'Client' ? "Client side: obeyed by the callers' proxies." : "Server side: obeyed by the proxies of the Service's own pods.";
  const about = follow(schema, ['type']) === 'array' ? [`${typeOf(schema)}, ${bounds(schema)}.`] : [];
  const [first = [], ...others] = objects(`spec.${name}`, schema, true);
  return [`## ${name}`, '', [description(schema), who, ...about].join(' '), '', ...first, ...others.flat()];
}

/** The tables of the objects at or below a field, each under its path. */
function nested(path: string, schema: unknown, level: number): readonly string[] {
  return objects(path, schema, false, level).flat();
}

function objects(path: string, schema: unknown, top: boolean, level = 3): readonly (readonly string[])[] {
  const items = follow(schema, ['items']);
  if (items !== undefined) return objects(`${path}[]`, items, false, level);
  const fields = fieldsOf(schema);
  if (fields.length === 0) return [];
  const heading = top ? [] : [`${'#'.repeat(level)} ${path}`, '', description(schema), ''];
  return [[...heading, ...section(schema, () => true)], ...fields.flatMap((field) => objects(`${path}.${field.name}`, field.schema, false, level))];
}

function section(schema: unknown, wanted: (name: string) => boolean): readonly string[] {
  const rows = fieldsOf(schema).filter(({ name }) => wanted(name));
  return ['| Field | Type | Bounds | Default | Description |', '| --- | --- | --- | --- | --- |', ...rows.map(line), ''];
}

function line({ name, schema, required }: FieldRow): string {
  const value = follow(schema, ['default']);
  const shown = value === undefined ? (required ? 'required' : '') : `\`${value === '' ? '""' : String(value)}\``;
  return `| ${[`\`${name}\``, typeOf(schema), bounds(schema), shown, description(schema)].map(cell).join(' | ')} |`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function typeOf(schema: unknown): string {
  const items = follow(schema, ['items']);
  if (items !== undefined) return `list of ${typeOf(items)}`;
  if (follow(schema, ['enum'])) return 'one of';
  if (follow(schema, ['patternProperties'])) return 'map of text';
  if (String(follow(schema, ['pattern'])).includes('h|m|s|ms')) return 'duration';
  const type = follow(schema, ['type']);
  return type === 'string' ? 'text' : type === 'integer' ? 'whole number' : String(type);
}

function bounds(schema: unknown): string {
  const values = follow(schema, ['enum']);
  if (Array.isArray(values)) return values.map((value) => `\`${value === '' ? '""' : String(value)}\``).join(', ');
  if (typeOf(schema) === 'duration') return between(follow(schema, [durationBounds, 'min']), follow(schema, [durationBounds, 'max']), '');
  return [
    between(follow(schema, ['minimum']), follow(schema, ['maximum']), ''),
    between(follow(schema, ['minLength']), follow(schema, ['maxLength']), ' characters'),
    between(follow(schema, ['minItems']), follow(schema, ['maxItems']), ' items'),
    between(follow(schema, ['minProperties']), follow(schema, ['maxProperties']), ' entries'),
  ]
    .filter((text) => text !== '')
    .join(', ');
}

function between(low: unknown, high: unknown, unit: string): string {
  if (low === undefined && high === undefined) return '';
  if (high === undefined) return `at least ${low}${unit}`;
  return low === undefined ? `at most ${high}${unit}` : `${low} to ${high}${unit}`;
}

function description(schema: unknown): string {
  const text = follow(schema, ['description']);
  return typeof text === 'string' ? text : '';
}
