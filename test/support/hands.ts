/** Time that passes when a test says so. */
import { setImmediate } from 'node:timers/promises';
import type { Timers } from '../../src/status/timers.js';

/** A clock whose hands a test turns. */
export interface Hands extends Timers {
  /** Lets time pass, alarm by alarm; what an alarm sets going is done as far as it goes without more time. */
  readonly turn: (ms: number) => Promise<void>;
  /** Lets what is under way go on as far as it goes without more time. */
  readonly rest: () => Promise<void>;
}

/** A clock at `start` milliseconds. */
export function createHands(start = 0): Hands {
  let now = start;
  const alarms = new Map<object, { readonly at: number; readonly then: () => void }>();
  const rest = async () => {
    for (let round = 0; round < 20; round++) await setImmediate();
  };
  const next = (until: number) => [...alarms].filter(([, { at }]) => at <= until).sort(([, a], [, b]) => a.at - b.at)[0];
  return {
    now: () => now,
    after: (ms, then) => {
      const id = {};
      alarms.set(id, { at: now + ms, then });
      return () => void alarms.delete(id);
    },
    rest,
    turn: async (ms) => {
      await rest();
      const until = now + ms;
      for (let due = next(until); due; due = next(until)) {
        const [id, { at, then }] = due;
        alarms.delete(id);
        now = Math.max(now, at);
        then();
        await rest();
      }
      now = until;
    },
  };
}
