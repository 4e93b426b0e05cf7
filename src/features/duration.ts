import type { Duration } from '../envoy/types.js';
import { parseDuration, toEnvoyDuration } from '../model/duration.js';

/** Milliseconds of a duration that the schema has accepted. */
export function millis(text: string): number {
  return parseDuration(text) ?? 0;
}

/** A duration that the schema has accepted, as Envoy reads it. */
export function envoyDuration(text: string): Duration {
  return toEnvoyDuration(text) ?? '0s';
}

/** The same for a field that may be left out. */
export function optionalDuration(text: string | undefined): Duration | undefined {
  return text === undefined ? undefined : envoyDuration(text);
}
