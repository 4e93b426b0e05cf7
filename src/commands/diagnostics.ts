/** How diagnostics are shown to people, in the manner of a compiler. */
import type { Diagnostic } from '../model/diagnostic.js';
import { formatRef } from '../model/name.js';

/**
 * Three lines: place and severity, what is wrong, what to do.
 *
 *     shop/reviews.yaml:12: error: TrafficPolicy shop/reviews spec.timeouts.request: "5 s" is no duration
 *         remedy: write hours, minutes, seconds and milliseconds without spaces, such as 1m30s
 */
export function formatDiagnostic({ severity, object, field, value, message, remedy, origin }: Diagnostic): string {
  const place = origin ? `${origin.file}:${origin.line}: ` : '';
  const what = [formatRef(object), field].filter(Boolean).join(' ');
  const got = value === undefined || message.split(/[\s,:]+/).includes(value) ? '' : ` (got ${value})`;
  return `${place}${severity}: ${what}: ${message}${got}\n    remedy: ${remedy}\n`;
}

/** `2 errors, 1 warning`. */
export function countDiagnostics(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const warnings = diagnostics.length - errors;
  return `${errors} ${errors === 1 ? 'error' : 'errors'}, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`;
}
