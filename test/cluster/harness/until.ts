/** Waiting for what nothing announces. */
import { setTimeout as pause } from 'node:timers/promises';

/** How long, and how often it is asked. */
export interface Patience {
  readonly timeoutMs?: number;
  readonly everyMs?: number;
}

/** Asks until there is an answer; a rejection counts as none. Rejects after a minute, or as told, with what was missing and why. */
export async function until<T>(what: string, ask: () => Promise<T | undefined | false>, patience: Patience = {}): Promise<T> {
  const { timeoutMs = 60_000, everyMs = 250 } = patience;
  const end = performance.now() + timeoutMs;
  let why: unknown = 'no answer';
  while (performance.now() < end) {
    const answer = await ask().catch((error: unknown) => {
      why = error;
      return undefined;
    });
    if (answer) return answer;
    await pause(everyMs);
  }
  throw new Error(`not so after ${timeoutMs} ms: ${what}`, { cause: why });
}
