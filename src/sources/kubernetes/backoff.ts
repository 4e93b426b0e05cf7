/** How long to wait after a failure: longer after each, never the same for all replicas. */

/** Counts failures. */
export interface Backoff {
  /** Milliseconds to wait after one more failure. */
  readonly next: () => number;
  /** It works again. */
  readonly reset: () => void;
}

const firstMs = 200;
const mostMs = 30_000;

/** Doubles from 200 ms up to 30 s; of each step at least a half is waited, and the rest is left to chance. */
export function createBackoff(random: () => number): Backoff {
  let step = firstMs;
  return {
    next: () => {
      const wait = step / 2 + (step / 2) * random();
      step = Math.min(step * 2, mostMs);
      return wait;
    },
    reset: () => {
      step = firstMs;
    },
  };
}
