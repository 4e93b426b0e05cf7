/** Time and chance, which tests replace. */
import { setTimeout as delay } from 'node:timers/promises';

/** What the following of a cluster takes from outside itself. */
export interface Clock {
  /** Milliseconds since any moment; never goes back. */
  readonly now: () => number;
  /** Resolves after so many milliseconds, or as soon as the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** From 0 up to, but not, 1. */
  readonly random: () => number;
}

/** The machine's own. */
export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
  random: Math.random,
};
