/** From a problem to a diagnostic: whom it is about, and its value in few words. */
import type { Diagnostic } from '../model/diagnostic.js';
import type { ObjectRef } from '../model/name.js';
import { follow } from './field-path.js';
import type { Problem } from './problem.js';

/** The diagnostic about this object that tells of the problem. */
export function toDiagnostic(object: ObjectRef, severity: Diagnostic['severity'], { field, value, reason, message, remedy }: Problem): Diagnostic {
  return { severity, object, field: shortened(field, maxField), ...shown(value), reason, message, remedy };
}

/** The name of an object that may be broken, for messages. */
export function nameOf(raw: unknown): string {
  const name = follow(raw, ['metadata', 'name']);
  return typeof name === 'string' ? name : '(no name)';
}

const maxShown = 80;
/** The names of unknown fields are as long as whoever writes them likes. */
const maxField = 512;

function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}...` : text;
}

/** A value as JSON, shortened; nothing where there is none. */
function shown(value: unknown): { readonly value?: string } {
  const json = value === undefined ? undefined : toJson(value);
  if (json === undefined) return {};
  return { value: shortened(json, maxShown) };
}

/** JSON, or nothing for a value that refers to itself, which an alias in YAML can make. */
function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
