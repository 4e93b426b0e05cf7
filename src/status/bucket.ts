/** A token bucket: so many at once, and so many a second in the long run. */

/** What may still be done now. */
export interface Bucket {
  /** Takes one token when there is one. Returns how many milliseconds to wait for the next one; 0 when one was taken. */
  readonly take: (now: number) => number;
}

/** A full bucket of `burst` tokens, refilled with `perSecond`. */
export function createBucket(burst: number, perSecond: number): Bucket {
  let tokens = burst;
  let filledAt: number | undefined;
  return {
    take: (now) => {
      tokens = Math.min(burst, tokens + ((now - (filledAt ?? now)) / 1000) * perSecond);
      filledAt = now;
      // A thousandth less than a whole one counts as one: sums of fractions are not exact.
      if (tokens < 0.999) return Math.ceil(((1 - tokens) / perSecond) * 1000);
      tokens = Math.max(0, tokens - 1);
      return 0;
    },
  };
}
