/** From a validator's error to words that a person can act on. */
import type { TLocalizedValidationError } from 'typebox/error';
import { follow, formatPath, isRecord, joinPath, pointerParts } from './field-path.js';
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
  if (error.keyword === 'required') return error.params.requiredProperties.map((name) => missing(joinPath(field, name), at, name));
  if (error.keyword === 'additionalProperties')
    return error.params.additionalProperties.map((name) => unknown(field, name, at, follow(root, [...parts, name])));
  return [{ field, value: follow(root, parts), ...describe(error, at, follow(root, parts)) }];
}

function missing(field: string, schema: unknown, name: string): Problem {
  const meaning = follow(schema, ['properties', name, 'description']);
  return { field, reason: 'Invalid', message: 'is missing', remedy: `set it${typeof meaning === 'string' ? ` (${withoutStop(meaning)})` : ''}` };
}

function unknown(path: string, name: string, schema: unknown, value: unknown): Problem {
  const properties = follow(schema, ['properties']);
  const known = isRecord(properties) ? Object.keys(properties) : [];
  const meant = nearest(name, known);
  const remedy = meant ? `did you mean ${meant}?` : known.length > 0 ? `remove it; known here are ${known.join(', ')}` : 'give it a name that is allowed';
  return { field: joinPath(path, name), value, reason: 'Invalid', message: 'is not a field that there is', remedy };
}

type Words = Pick<Problem, 'reason' | 'message' | 'remedy'>;

function describe(error: TLocalizedValidationError, schema: unknown, value: unknown): Words {
  switch (error.keyword) {
    case 'enum':
      return unsupported(error.params.allowedValues, value);
    case 'type':
      return invalid(`must be ${typeName(error.params.type)}`, formOf(String(follow(schema, ['pattern'])), schema));
    case 'pattern':
      return invalid(`is not of the form ${error.params.pattern}`, formOf(String(error.params.pattern), schema));
    case 'minimum':
    case 'maximum':
      return invalid(
        `must be ${error.keyword === 'minimum' ? 'at least' : 'at most'} ${error.params.limit}`,
        `write a number ${range(schema, 'minimum', 'maximum')}`,
      );
    case 'minLength':
    case 'maxLength':
      return invalid(
        `must have ${bound(error.keyword, error.params.limit)} characters`,
        error.keyword === 'minLength' ? 'write something, or remove the field' : 'shorten it',
      );
    case 'minItems':
    case 'maxItems':
      return invalid(
        `must have ${bound(error.keyword, error.params.limit)} items`,
        error.keyword === 'minItems' ? 'add one, or remove the field' : 'split it, or remove some',
      );
    case 'minProperties':
    case 'maxProperties':
      return invalid(
        `must have ${bound(error.keyword, error.params.limit)} entries`,
        error.keyword === 'minProperties' ? 'add one, or remove the field' : 'remove some',
      );
    default:
      return invalid(error.message, 'see the reference');
  }
}

function invalid(message: string, remedy: string): Words {
  return { reason: 'Invalid', message, remedy };
}

function unsupported(allowed: readonly unknown[], value: unknown): Words {
  const values = allowed.map((each) => (each === '' ? '""' : String(each)));
  const meant = nearest(String(value), values);
  const remedy = meant ? `did you mean ${meant}?` : `write ${values.length === 1 ? '' : 'one of '}${values.join(', ')}`;
  return { reason: 'UnsupportedValue', message: `is not one of ${values.join(', ')}`, remedy };
}

function bound(keyword: string, limit: number): string {
  return `${keyword.startsWith('min') ? 'at least' : 'at most'} ${limit}`;
}

function range(schema: unknown, low: string, high: string): string {
  return `from ${follow(schema, [low])} to ${follow(schema, [high])}`;
}

const typeNames: ReadonlyMap<string, string> = new Map([
  ['object', 'an object'],
  ['array', 'a list'],
  ['string', 'text (in quotes, where it looks like a number)'],
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

function formOf(pattern: string, schema: unknown): string {
  if (pattern.includes('h|m|s|ms')) return 'write a duration such as 250ms, 10s or 1m30s';
  const meaning = follow(schema, ['description']);
  return typeof meaning === 'string' ? `this is: ${withoutStop(meaning)}` : 'write it in that form';
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, '');
}
