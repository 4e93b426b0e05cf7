/** Time as this folder sees it, so that tests can turn the hands. */

/** A clock that never goes back, and alarms. */
export interface Timers {
  /** Milliseconds since some moment in the past. */
  readonly now: () => number;
  /** Calls `then` after `ms` milliseconds, unless the function that it returns is called before. */
  readonly after: (ms: number, then: () => void) => () => void;
}

/** The machine's own. An alarm does not keep the process alive. */
export const systemTimers: Timers = {
  now: () => performance.now(),
  after: (ms, then) => {
    const timer = setTimeout(then, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
