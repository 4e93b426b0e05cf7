/** Gives many streams their turn in slices, so that a change that reaches thousands does not hold up the event loop. */
export interface Scheduler {
  /** Runs the task soon; once, however often it is added before. */
  readonly add: (task: () => void) => void;
}

/** How many tasks run before other events get their turn. */
const tasksPerTurn = 32;

/** A scheduler on `setImmediate`. */
export function createScheduler(): Scheduler {
  const waiting = new Set<() => void>();
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(turn);
  }

  function turn(): void {
    isScheduled = false;
    let left = tasksPerTurn;
    for (const task of waiting) {
      if (left-- === 0) break;
      waiting.delete(task);
      task();
    }
    if (waiting.size > 0) schedule();
  }

  return {
    add: (task) => {
      waiting.add(task);
      schedule();
    },
  };
}
