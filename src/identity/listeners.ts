/** Those who are told of a change. */

/** A set of listeners. */
export interface Listeners {
  /** Adds one; returns what takes it out again. */
  readonly add: (listener: () => void) => () => void;
  readonly tell: () => void;
}

/** None yet. */
export function createListeners(): Listeners {
  const listeners = new Set<() => void>();
  return {
    add: (listener) => {
      const own = () => listener();
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    tell: () => {
      for (const listener of [...listeners]) listener();
    },
  };
}
