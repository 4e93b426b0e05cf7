/** From a validator's error to words that a person can act on. */
import type { TLocalizedValidationError } from 'typebox/error';
import { follow, formatPath, isRecord, joinPath, pointerParts } from './field-path.js';
import { formWords } from './fields.js';
import { nearest } from './nearest.js';

/** What is wrong with a field; the path is relative to what was validated. */
export interface Problem {
  readonly field: string;
  readonly value?: unknown;
  /** As a condition's reason: `UnsupportedValue` for a word that is none of those allowed, `Invalid` for the rest. */
  readonly reason: 'Invalid' | 'UnsupportedValue';
  readonly message: string;
  readonly remedy: string;
}

/** The problems that one error of the validator tells of: several where fields are missing or unknown, none where another error says it better. */
export function explain(error: TLocalizedValidationError, schema: unknown, root: unknown): readonly Problem[] {
  const parts = pointerParts(error.instancePath);
  const field = formatPath(root, parts);
  const at = follow(schema, pointerParts(error.schemaPath));
  if (error.keyword === 'boolean') return [];
  if (error.keyword === 'required') return error.params.requiredProperties.map((name) => missing(joinPath(field, name), follow(at, ['properties', name])));
  if (error.keyword === 'additionalProperties')
    return error.params.additionalProperties.map((name) => unknown(field, name, at, follow(root, [...parts, name])));
  return [{ field, value: follow(root, parts), ...describe(error, at, follow(root, parts)) }];
}

function missing(field: string, schema: unknown): Problem {
  const meaning = follow(schema, ['description']);
  const isSaid = typeof meaning === 'string' && ['string', 'integer'].includes(String(follow(schema, ['type'])));
  return { field, ...invalid('is missing', `${whatToWrite(schema, undefined)}${isSaid ? `: ${lowerFirst(withoutStop(meaning))}` : ''}`) };
}

function unknown(path: string, name: string, schema: unknown, value: unknown): Problem {
  const field = joinPath(path, name);
  const form = follow(schema, [formWords]);
  if (form !== undefined) return { field, value, ...invalid(`is not ${wordOf(form, 'expected')}`, wordOf(form, 'remedy')) };
  const known = namesIn(schema);
  const meant = nearest(name, known);
  const remedy = meant ? `did you mean ${meant}?` : `remove it, or write one of the fields of ${path || 'the object'}: ${known.join(', ')}`;
  return { field, value, ...invalid(`is not a field of ${path || 'the object'}`, remedy) };
}

type Words = Pick<Problem, 'reason' | 'message' | 'remedy'>;

function describe(error: TLocalizedValidationError, schema: unknown, value: unknown): Words {
  switch (error.keyword) {
    case 'enum':
      return unsupported(error.params.allowedValues, value);
    case 'type':
      return wrongType(error.params.type, schema, value);
    case 'pattern':
      return invalid(`must be ${wordOf(follow(schema, [formWords]), 'expected') || `of the form ${error.params.pattern}`}`, whatToWrite(schema, value));
    case 'minimum':
    case 'maximum':
      return invalid(`must be ${bound(error.keyword, error.params.limit)}`, whatToWrite(schema, value));
    case 'minLength':
      return invalid(value === '' ? 'is empty' : `must have ${count(error, 'character')}`, 'write something, or remove the field');
    case 'maxLength':
      return invalid(`must have ${count(error, 'character')}`, 'shorten it');
    case 'minItems':
    case 'minProperties':
      return invalid(`must have ${count(error, 'item')}`, 'add one, or remove the field if it may be left out');
    case 'maxItems':
    case 'maxProperties':
      return invalid(`must have ${count(error, 'item')}`, 'remove some');
    default:
      return invalid(error.message, 'see `weft crd -o markdown`, which describes every field');
  }
}

function invalid(message: string, remedy: string): Words {
  return { reason: 'Invalid', message, remedy };
}

function wrongType(type: string | readonly string[], schema: unknown, value: unknown): Words {
  const remedy = whatToWrite(schema, value);
  if (value === null) return invalid('has no value', `${remedy}; or remove the field, if it may be left out`);
  const form = needsQuotes(schema, value) ? '' : wordOf(follow(schema, [formWords]), 'expected');
  return invalid(`must be ${form || typeName(type)}`, remedy);
}

/** A number is not suggested for another: 306 is no slip for 301. */
function unsupported(allowed: readonly unknown[], value: unknown): Words {
  const values = allowed.map((each) => (each === '' ? '""' : String(each)));
  const meant = typeof value === 'string' ? nearest(value, values) : undefined;
  const remedy = meant ? `did you mean ${meant}?` : `write ${values.length === 1 ? '' : 'one of '}${values.join(', ')}`;
  return { reason: 'UnsupportedValue', message: `${values.length === 1 ? 'must be' : 'is not one of'} ${values.join(', ')}`, remedy };
}

interface Limited {
  readonly keyword: string;
  readonly params: { readonly limit: number | bigint };
}

function bound(keyword: string, limit: number | bigint): string {
  return `${keyword.startsWith('min') ? 'at least' : 'at most'} ${limit}`;
}

function count({ keyword, params: { limit } }: Limited, thing: string): string {
  return `${bound(keyword, limit)} ${thing}${Number(limit) === 1 ? '' : 's'}`;
}

const typeNames: ReadonlyMap<string, string> = new Map([
  ['object', 'an object, which is a map of fields'],
  ['array', 'a list'],
  ['string', 'text'],
  ['integer', 'a whole number'],
  ['number', 'a number'],
  ['boolean', 'true or false'],
]);

function typeName(type: string | readonly string[]): string {
  return [type]
    .flat()
    .map((each) => typeNames.get(each) ?? each)
    .join(' or ');
}

/** What to do about a field of this schema that has a wrong value, or none. */
function whatToWrite(schema: unknown, value: unknown): string {
  const form = follow(schema, [formWords]);
  const type = follow(schema, ['type']);
  const allowed = follow(schema, ['enum']);
  if (Array.isArray(allowed)) return `write ${allowed.length === 1 ? '' : 'one of '}${allowed.join(', ')}`;
  if (type === 'integer') return isNumeral(value) ? `write ${value} without quotation marks` : `write a whole number${range(schema)}`;
  if (type === 'object')
    return namesIn(schema).length > 0 ? `write a map with fields of its own: ${namesIn(schema).join(', ')}` : 'write a map, such as {name: value}';
  if (type === 'array') return 'write a list, each item of which begins with "- "';
  if (needsQuotes(schema, value)) return `put it in quotation marks: "${value}"`;
  if (form !== undefined) return value === undefined ? `write ${wordOf(form, 'expected')}` : wordOf(form, 'remedy');
  return 'write a text';
}

/** Whether YAML has read as a number or a truth value what would be a good text. */
function needsQuotes(schema: unknown, value: unknown): boolean {
  if (follow(schema, ['type']) !== 'string' || (typeof value !== 'number' && typeof value !== 'boolean')) return false;
  const pattern = follow(schema, ['pattern']);
  return typeof pattern !== 'string' || new RegExp(pattern).test(String(value));
}

function isNumeral(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9]+$/.test(value);
}

function range(schema: unknown): string {
  const [low, high] = [follow(schema, ['minimum']), follow(schema, ['maximum'])];
  return low === undefined || high === undefined ? '' : ` from ${low} to ${high}`;
}

function namesIn(schema: unknown): readonly string[] {
  const properties = follow(schema, ['properties']);
  return isRecord(properties) ? Object.keys(properties) : [];
}

function wordOf(form: unknown, word: 'expected' | 'remedy'): string {
  const found = follow(form, [word]);
  return typeof found === 'string' ? found : '';
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, '');
}

/** A sentence that goes on after a colon. */
function lowerFirst(sentence: string): string {
  return /^[A-Z][a-z]/.test(sentence) ? `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}` : sentence;
}
