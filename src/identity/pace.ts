/** Bounds of what is asked of somebody else: so many questions at once, so many a second, so many in line. */
import { setTimeout as delay } from 'node:timers/promises';

/** The bounds. */
export interface PaceLimits {
  readonly atOnce: number;
  readonly perSecond: number;
  /** Those who wait for their turn. */
  readonly waiting: number;
}

/** Who keeps to them. */
export interface Pace {
  /** The answer of the task when it has had its turn, or undefined at once when too many wait already. */
  readonly run: <Answer>(task: () => Promise<Answer>) => Promise<Answer | undefined>;
}

/** Each task occupies one of `atOnce` places, for so long at least that no more than `perSecond` begin in a second. */
export function createPace({ atOnce, perSecond, waiting }: PaceLimits): Pace {
  const line: (() => void)[] = [];
  const leastMs = (1000 * atOnce) / perSecond;
  let taken = 0;
  const release = () => {
    const next = line.shift();
    if (next) next();
    else taken--;
  };
  return {
    run: async (task) => {
      if (taken < atOnce) taken++;
      else if (line.length >= waiting) return undefined;
      else await new Promise<void>((resolve) => line.push(resolve));
      const answer = task();
      void Promise.allSettled([answer, delay(leastMs)]).then(release);
      return answer;
    },
  };
}
