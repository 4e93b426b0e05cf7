/** Hands changes on in batches: none before every kind has synced, then all at once, and from then on a burst as one. */
import type { Change } from '../change.js';

/** Gathers changes. */
export interface Delivery {
  readonly add: (changes: readonly Change[]) => void;
  /** Something else than a change has to be told with the next batch. */
  readonly touch: () => void;
  /** From now on changes are handed on: soon those that are there already, in one batch, even if there are none. */
  readonly open: () => void;
  readonly close: () => void;
}

/** A change that comes alone is handed on at once; those that follow within so many milliseconds are gathered. */
const spacingMs = 5;

/** A delivery that only gathers yet. `flush` gets, of several changes of one object, the last. */
export function createDelivery(flush: (changes: readonly Change[]) => void): Delivery {
  let pending = new Map<string, Change>();
  let isOpen = false;
  let isClosed = false;
  let cancel: (() => void) | undefined;
  let last = Number.NEGATIVE_INFINITY;

  const deliver = () => {
    cancel = undefined;
    last = performance.now();
    const changes = [...pending.values()];
    pending = new Map();
    flush(changes);
  };

  const schedule = () => {
    if (!isOpen || isClosed || cancel) return;
    cancel = after(last + spacingMs - performance.now(), deliver);
  };

  return {
    add: (changes) => {
      for (const change of changes) pending.set(`${change.kind} ${change.key}`, change);
      if (changes.length > 0) schedule();
    },
    touch: schedule,
    open: () => {
      isOpen = true;
      schedule();
    },
    close: () => {
      isClosed = true;
      cancel?.();
    },
  };
}

/** Without any time to wait, as soon as the events that are there already have been heard. */
function after(ms: number, task: () => void): () => void {
  if (ms > 0) {
    const timer = setTimeout(task, ms);
    return () => clearTimeout(timer);
  }
  const immediate = setImmediate(task);
  return () => clearImmediate(immediate);
}
