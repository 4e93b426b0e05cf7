/** Summaries of measured values. */

/** Of a list of values, in their unit. */
export interface Summary {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Summarises values; all zero without any. Percentiles by nearest rank, so each is a value that occurred. */
export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { count: sorted.length, mean: mean(sorted), p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}

/** The arithmetic mean; 0 without values. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
