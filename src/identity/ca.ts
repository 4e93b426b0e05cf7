/** The authority in a Secret: filled by whoever comes first, followed when it changes, put back when it was emptied, renewed in time. */
import { setTimeout as delay } from 'node:timers/promises';
import { type AuthorityTimes, advance, defaultAuthorityTimes, fill } from './authority-plan.js';
import { type CaMaterial, readCaSecret } from './authority-secret.js';
import { createListeners } from './listeners.js';
import { isVouchedFor, readCertificates, validityOf } from './pem.js';
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
  /** Whether there are signs that there has been an authority before. Then an empty Secret is no first start, and whoever still knows what was in it has the time to put it back. */
  readonly hasBeen?: (() => Promise<boolean>) | undefined;
}

const defaultIntervalMs = 30_000;

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
 * it has written. Whoever has known an authority puts that back into a Secret that was emptied later: another one would be trusted by
 * nobody yet. Rejects with an Error that names the Secret when it does not exist or what a user has put there is of no use; that is never overwritten.
 */
export async function openCa(options: CaOptions): Promise<Ca> {
  const { onError, intervalMs = defaultIntervalMs } = options;
  const listeners = createListeners();
  const closing = new AbortController();
  let { material: current, found: known } = await settle(options, undefined);
  const refresh = async () => {
    const next = await settle(options, known);
    const isSame = JSON.stringify(next.material) === JSON.stringify(current);
    if (!isTrustedBy(next.material, current)) onError(new Error(`Secret ${nameOfSecret(options)} ${leap}`));
    current = next.material;
    known = next.found;
    if (!isSame) listeners.tell();
  };
  void follow(() => refresh().catch(onError), intervalMs, closing.signal);
  return { current: () => current, onChange: listeners.add, refresh, close: () => closing.abort() };
}

/** What is wrong with a Secret that somebody has put another authority into in one go; it is followed all the same. */
const leap =
  'holds an authority that was not trusted before it signs (a restore from a backup, or one that was brought without an overlap): ' +
  'calls may fail for some minutes, until all have its root; see docs/certificates.md';

function isTrustedBy({ certificate }: CaMaterial, { bundle }: CaMaterial): boolean {
  const top = readCertificates(certificate).at(-1);
  return top !== undefined && isVouchedFor(top, readCertificates(bundle));
}

/** Looks again and again, so that several processes do not do so in step. */
async function follow(look: () => Promise<void>, intervalMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await delay(intervalMs * (0.9 + Math.random() / 5), undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) await look();
  }
}

interface Settled {
  readonly material: CaMaterial;
  readonly found: FoundSecret;
}

/** Takes the steps that are due, one after another; whoever loses the race for a step looks again. */
async function settle(options: CaOptions, known: FoundSecret | undefined): Promise<Settled> {
  const { clock, times = defaultAuthorityTimes } = options;
  const begin = performance.now();
  for (;;) {
    const now = clock();
    const found = await readSecret(options);
    const material = readCaSecret(found.texts, nameOfSecret(options), now);
    if (material) {
      const step = material.kind === 'authority' ? await advance(found.texts, found.made, now, times) : undefined;
      if (!step) return { material, found };
      await writeSecret(options, found.object, step);
    } else if (known && !hasEnded(known, now)) await putBack(options, found, known);
    else if (!(await isAwaited(options, performance.now() - begin))) await writeSecret(options, found.object, await fill(now, times));
  }
}

/** What has ended is of no use to anybody. */
function hasEnded({ texts }: FoundSecret, now: number): boolean {
  const [leaf] = readCertificates(texts['tls.crt'] ?? '');
  return leaf === undefined || validityOf(leaf).notAfter <= now;
}

const keys = ['tls.crt', 'tls.key', 'ca.crt', 'next.crt', 'next.key'];

async function putBack(options: CaOptions, { object }: FoundSecret, { texts, made, retiring }: FoundSecret): Promise<void> {
  const ours = Object.fromEntries(Object.entries(texts).filter(([key]) => keys.includes(key)));
  if (!(await writeSecret(options, object, { texts: ours, made, retiring }))) return;
  const why = 'another one would be trusted by nobody yet; to change it use weft ca rotate, or see docs/certificates.md';
  options.onError(new Error(`Secret ${nameOfSecret(options)} was emptied, and the authority that is in use has been put back: ${why}`));
}

/** Another process looks at the Secret after at most 1.1 intervals. */
const patience = 2.5;
const pauseMs = 2_000;

/** Whether somebody else may still put back what was in the Secret; resolves after a pause when so. */
async function isAwaited(options: CaOptions, waitedMs: number): Promise<boolean> {
  const { hasBeen, onError, intervalMs = defaultIntervalMs } = options;
  const leftMs = patience * intervalMs - waitedMs;
  if (!hasBeen || leftMs <= 0 || !(await hasBeen())) return false;
  const seconds = Math.ceil(leftMs / 1000);
  if (waitedMs < pauseMs)
    onError(new Error(`Secret ${nameOfSecret(options)} is empty, and there has been an authority: waiting ${seconds} s for a replica that still knows it`));
  await delay(Math.min(pauseMs, leftMs));
  return true;
}
