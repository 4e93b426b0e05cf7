/** Checks plain values against a schema and says what is wrong in the words that the schema carries. */
import type { StaticEncode, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import type { TLocalizedValidationError } from 'typebox/error';
import { isPlain, textOf } from '../../kubernetes/plain.js';
import type { Diagnostic } from '../../model/diagnostic.js';
import type { ObjectRef } from '../../model/name.js';
import { fieldPath } from './field-path.js';
import { showValue, withoutNulls } from './plain.js';

/** The words that a schema of ours carries besides its rules. */
export interface Words {
  /** What the field must be: `a whole number from 1 to 65535`. */
  readonly expected: string;
  /** What to do where it is not: `write the number of the port, such as 8080`. */
  readonly remedy: string;
}

/** A value that fits the schema, or what is wrong with it. */
export interface Checked<Schema extends TSchema> {
  readonly value?: StaticEncode<Schema> | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** A function that checks values against a schema. Fields that are null count as left out; fields unknown to the schema are let pass. */
export function checker<Schema extends TSchema>(schema: Schema): (raw: unknown, object: ObjectRef) => Checked<Schema> {
  const validator = Compile(schema);
  return (raw, object) => {
    const value = withoutNulls(raw);
    if (validator.Check(value)) return { value, diagnostics: [] };
    return { diagnostics: outermost(validator.Errors(value)).flatMap((error) => explain(schema, value, object, error)) };
  };
}

/** An error about an object. */
export function invalid(object: ObjectRef, field: string, value: unknown, message: string, remedy: string): Diagnostic {
  return { severity: 'error', object, field, value: showValue(value), reason: 'Invalid', message, remedy };
}

/** Where a value may be one of several things and is none of them, that is the news, and not why it is neither the first nor the second. */
function outermost(errors: readonly TLocalizedValidationError[]): readonly TLocalizedValidationError[] {
  const unions = errors.filter((error) => error.keyword === 'anyOf').map((error) => error.schemaPath);
  return errors.filter((error) => !unions.some((union) => error.schemaPath.startsWith(`${union}/`)));
}

function explain(schema: unknown, value: unknown, object: ObjectRef, error: TLocalizedValidationError): readonly Diagnostic[] {
  const steps = stepsOf(error.instancePath);
  const here = schemaAt(schema, error.schemaPath);
  if (error.keyword === 'required') {
    const missing = error.params.requiredProperties.map((name) => ({ name, words: wordsOf(schemaAt(here, `#/properties/${name}`)) }));
    return missing.map(({ name, words }) => invalid(object, fieldPath([...steps, name]), undefined, 'is missing', words.remedy));
  }
  const words = wordsOf(here);
  return [invalid(object, fieldPath(steps), valueAt(value, steps), words.expected ? `must be ${words.expected}` : error.message, words.remedy)];
}

function wordsOf(schema: unknown): Words {
  return { expected: textOf(schema, 'expected'), remedy: textOf(schema, 'remedy') || 'correct the field as the Kubernetes API describes it' };
}

/** The steps of a JSON pointer (RFC 6901). */
function stepsOf(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function schemaAt(schema: unknown, path: string): unknown {
  return valueAt(schema, stepsOf(path));
}

function valueAt(value: unknown, steps: readonly string[]): unknown {
  return steps.reduce((at: unknown, step) => {
    if (Array.isArray(at)) return at[Number(step)];
    return isPlain(at) ? at[step] : undefined;
  }, value);
}
