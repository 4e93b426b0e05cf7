/** Gathers a burst of events into one run. */

/** A run that is started by events. */
export interface Batch {
  /** Something happened: run soon; within so many milliseconds, whatever else happens, where a number is given. */
  readonly touch: (withinMs?: number) => void;
  /** No more runs; resolves when the one that is under way has ended. */
  readonly close: () => Promise<void>;
}

/** When to run. */
export interface BatchOptions {
  /** Run once nothing has happened for so long. */
  readonly quietMs: number;
  /** Run at the latest so long after the first event. */
  readonly maximumMs: number;
  /** Never called again before it has resolved. It must not reject. */
  readonly run: () => Promise<void>;
}

/** A batch in which nothing has happened yet. */
export function createBatch({ quietMs, maximumMs, run }: BatchOptions): Batch {
  let cancel = () => {};
  let latest: number | undefined;
  let running: Promise<void> | undefined;
  let isWanted = false;
  let isClosed = false;

  const start = () => {
    latest = undefined;
    if (isClosed) return;
    isWanted = running !== undefined;
    if (isWanted) return;
    running = run().finally(() => {
      running = undefined;
      if (isWanted) start();
    });
  };

  return {
    touch: (withinMs = maximumMs) => {
      if (isClosed) return;
      const now = performance.now();
      latest = Math.min(latest ?? now + maximumMs, now + withinMs);
      cancel();
      cancel = after(Math.min(quietMs, latest - now), start);
    },
    close: async () => {
      isClosed = true;
      cancel();
      await running;
    },
  };
}

/** Runs a task after so many milliseconds; without any to wait, as soon as the events that are there already have been heard. */
function after(milliseconds: number, task: () => void): () => void {
  if (milliseconds > 0) {
    const timer = setTimeout(task, milliseconds);
    return () => clearTimeout(timer);
  }
  const immediate = setImmediate(task);
  return () => clearImmediate(immediate);
}
