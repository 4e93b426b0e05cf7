import type { ObjectRef } from './name.js';

/** Where an object was read from. */
export interface Origin {
  readonly file: string;
  /** From 1; the line of the field that a diagnostic is about, where it is known. */
  readonly line: number;
}

/**
 * What is wrong with an object, in a form that a person can act on: the object, the field, its value, what is wrong and
 * what to do. Never thrown; it ends as a line of `weft validate`, a log line or a condition on the object.
 */
export interface Diagnostic {
  /** An error means that the object (or the stanza) takes no effect; a warning that it does, perhaps not as meant. */
  readonly severity: 'error' | 'warning';
  readonly object: ObjectRef;
  /** The path of the field, `spec.rules[0].matches[0].path.value`; empty for the object as a whole. */
  readonly field: string;
  /** The value as JSON, shortened; left out where there is none. */
  readonly value?: string | undefined;
  /** CamelCase, as a condition's reason: `Invalid`, `UnsupportedValue`, `BackendNotFound`, `Conflicted`. */
  readonly reason: string;
  /** What is wrong: a sentence without a full stop. */
  readonly message: string;
  /** What to do about it: a sentence without a full stop. */
  readonly remedy: string;
  readonly origin?: Origin | undefined;
}
