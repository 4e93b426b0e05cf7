/** The authority in a Secret: filled by whoever comes first, followed when it changes, renewed in time. */
import { setTimeout as delay } from 'node:timers/promises';
import { type AuthorityTimes, advance, defaultAuthorityTimes, fill } from './authority-plan.js';
import { type CaMaterial, readCaSecret } from './authority-secret.js';
import { createListeners } from './listeners.js';
import { type FoundSecret, nameOfSecret, readSecret, type SecretPlace, writeSecret } from './secret-store.js';

/** Where the authority is kept: the Secret must exist, and Weft needs the verbs get and update on it. */
export interface CaOptions extends SecretPlace {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Told what is wrong with the Secret, or with the way to it, while the last good content stays in use. */
  readonly onError: (error: unknown) => void;
  /** How often the Secret is looked at, in milliseconds; half a minute unless given. */
  readonly intervalMs?: number | undefined;
  readonly times?: AuthorityTimes | undefined;
}

/** The content of the Secret. */
export interface Ca {
  readonly current: () => CaMaterial;
  /** Calls the listener after each change of {@link current}; returns what ends that. */
  readonly onChange: (listener: () => void) => () => void;
  /** Looks at the Secret now. Rejects as {@link openCa} does; what was known stays. */
  readonly refresh: () => Promise<void>;
  readonly close: () => void;
}

/**
 * Reads the Secret and fills it when it is empty; of several processes that do so at once, one wins and the others use what
 * it has written. Rejects with an Error that names the Secret when it does not exist or what a user has put there is of no
 * use; that is never overwritten.
 */
export async function openCa(options: CaOptions): Promise<Ca> {
  const { clock, onError, intervalMs = 30_000 } = options;
  const listeners = createListeners();
  const closing = new AbortController();
  let current = await settle(options, clock());
  const refresh = async () => {
    const next = await settle(options, clock());
    const isSame = JSON.stringify(next) === JSON.stringify(current);
    current = next;
    if (!isSame) listeners.tell();
  };
  void follow(() => refresh().catch(onError), intervalMs, closing.signal);
  return { current: () => current, onChange: listeners.add, refresh, close: () => closing.abort() };
}

/** Looks again and again, so that several processes do not do so in step. */
async function follow(look: () => Promise<void>, intervalMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await delay(intervalMs * (0.9 + Math.random() / 5), undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) await look();
  }
}

/** Takes the steps that are due, one after another; whoever loses the race for a step looks again. */
async function settle(options: CaOptions, now: number): Promise<CaMaterial> {
  for (;;) {
    const found = await readSecret(options);
    const material = readCaSecret(found.texts, nameOfSecret(options), now);
    const step = await nextStep(options, found, material, now);
    if (!step && material) return material;
    if (step) await writeSecret(options, found.object, step);
  }
}

function nextStep({ times = defaultAuthorityTimes }: CaOptions, { texts, made }: FoundSecret, material: CaMaterial | undefined, now: number) {
  if (!material) return fill(now, times);
  return material.kind === 'authority' ? advance(texts, made, now, times) : undefined;
}
