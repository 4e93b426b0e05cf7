/** Durations as the Gateway API writes them (GEP-2257): `10s`, `1m30s`, `250ms`; no sign, fraction, or unit below a millisecond. */

/** The pattern of GEP-2257, for schemas; it says the same as {@link parseDuration}. */
export const durationPattern = '^([0-9]{1,5}(h|m|s|ms)){1,4}$';

const whole = new RegExp(durationPattern);
const part = /([0-9]+)(ms|h|m|s)/g;
const milliseconds: ReadonlyMap<string, number> = new Map([
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
]);

/** The duration in milliseconds, or undefined when the text is not a duration. Units may come in any order and repeat; they add up. */
export function parseDuration(text: string): number | undefined {
  if (!whole.test(text)) return undefined;
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(part)) sum += Number(amount) * (milliseconds.get(unit ?? '') ?? 0);
  return sum;
}

/** The duration as a protobuf Duration in JSON form, which Envoy reads: `250ms` gives `0.25s`; undefined when the text is not a duration. */
export function toEnvoyDuration(text: string): `${number}s` | undefined {
  const duration = parseDuration(text);
  return duration === undefined ? undefined : `${duration / 1_000}s`;
}
