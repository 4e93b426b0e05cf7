/** What the validating webhook says of a TrafficPolicy: that which the CustomResourceDefinition cannot see, such as bad regular expressions. */
import type { Diagnostic } from '../model/diagnostic.js';
import { follow } from './field-path.js';
import { parsePolicy } from './policy.js';

/** A verdict in words for whoever applied the policy. */
export interface Review {
  readonly allowed: boolean;
  /** Why not: a line for each problem, `spec.rules[0].name: "a": what is wrong; what to do`; empty where it is allowed. */
  readonly message: string;
  /** What is allowed, and perhaps not meant; lines of the same form. */
  readonly warnings: readonly string[];
}

/**
 * Judges a policy as it would be written, `old` being what is there now. What an earlier release has let in may be labelled,
 * and deleted, whatever is wrong with it by now: where the spec stays as it is, errors are warnings.
 */
export function reviewPolicy(object: unknown, old?: unknown): Review {
  const { diagnostics } = parsePolicy(object);
  const [errors, warnings] = [linesOf(diagnostics, 'error'), linesOf(diagnostics, 'warning')];
  if (errors.length === 0) return { allowed: true, message: '', warnings };
  if (old !== undefined && hasSameSpec(object, old)) return { allowed: true, message: '', warnings: [...errors, ...warnings] };
  return { allowed: false, message: bounded(errors).join('\n'), warnings };
}

function linesOf(diagnostics: readonly Diagnostic[], wanted: Diagnostic['severity']): readonly string[] {
  return diagnostics
    .filter(({ severity }) => severity === wanted)
    .map(({ field, value, message, remedy }) => [field, value, `${message}; ${remedy}`].filter(Boolean).join(': '));
}

/** The API server writes the fields of an object in the order of their names. */
function hasSameSpec(object: unknown, old: unknown): boolean {
  return JSON.stringify(follow(object, ['spec'])) === JSON.stringify(follow(old, ['spec']));
}

const maxLines = 10;

function bounded(lines: readonly string[]): readonly string[] {
  return lines.length <= maxLines ? lines : [...lines.slice(0, maxLines), `and ${lines.length - maxLines} more`];
}
