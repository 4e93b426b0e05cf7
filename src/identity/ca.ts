/** The authority in a Secret: filled by whoever comes first, followed when it changes, renewed in time. */
import { setTimeout as delay } from 'node:timers/promises';
import { type KubeClient, KubeError } from '../kubernetes/api.js';
import { isPlain, textOf } from '../kubernetes/plain.js';
import { type AuthorityTimes, advance, defaultAuthorityTimes, fill, madeAnnotation, type SecretChange } from './authority-plan.js';
import { type CaMaterial, readCaSecret, type SecretTexts } from './authority-secret.js';
import { createListeners } from './listeners.js';

/** Where the authority is kept. */
export interface CaOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** The name of the Secret; it must exist. Weft needs the verbs get and update on it. */
  readonly secret: string;
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
    const found = await read(options);
    const material = readCaSecret(found.texts, nameOf(options), now);
    const step = await nextStep(options, found, material, now);
    if (!step && material) return material;
    if (step) await write(options, found.object, step);
  }
}

function nextStep({ times = defaultAuthorityTimes }: CaOptions, { texts, made }: Found, material: CaMaterial | undefined, now: number) {
  if (!material) return fill(now, times);
  return material.kind === 'authority' ? advance(texts, made, now, times) : undefined;
}

interface Found {
  readonly object: Readonly<Record<string, unknown>>;
  readonly texts: SecretTexts;
  readonly made: string | undefined;
}

async function read(options: CaOptions): Promise<Found> {
  const object = await options.client.request({ method: 'GET', path: pathOf(options) }).catch((error: unknown) => {
    const isMissing = error instanceof KubeError && error.status === 404;
    throw isMissing ? new Error(`Secret ${nameOf(options)} is not there; the chart makes it: run helm upgrade, or create it with no data`) : error;
  });
  if (!isPlain(object)) throw new Error(`Secret ${nameOf(options)}: the API server answers with no object`);
  const metadata = isPlain(object['metadata']) ? object['metadata'] : {};
  const data = isPlain(object['data']) ? object['data'] : {};
  const texts = Object.fromEntries(Object.keys(data).map((key) => [key, Buffer.from(textOf(data, key), 'base64').toString()]));
  return { object, texts, made: textOf(metadata['annotations'], madeAnnotation) || undefined };
}

/** The resourceVersion in the object makes the API server refuse when somebody else was faster. */
async function write(options: CaOptions, object: Readonly<Record<string, unknown>>, { texts, made }: SecretChange): Promise<void> {
  const metadata = isPlain(object['metadata']) ? object['metadata'] : {};
  const before = isPlain(metadata['annotations']) ? metadata['annotations'] : {};
  const data = Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]));
  const body = { ...object, metadata: { ...metadata, annotations: { ...before, [madeAnnotation]: made } }, data: { ...others(object['data']), ...data } };
  await options.client.request({ method: 'PUT', path: pathOf(options), body }).catch((error: unknown) => {
    if (!(error instanceof KubeError && error.status === 409)) throw error;
  });
}

/** What a user keeps in the Secret besides. */
function others(data: unknown): object {
  if (!isPlain(data)) return {};
  return Object.fromEntries(Object.entries(data).filter(([key]) => key !== 'next.crt' && key !== 'next.key'));
}

function nameOf({ namespace, secret }: CaOptions): string {
  return `${namespace}/${secret}`;
}

function pathOf({ namespace, secret }: CaOptions): string {
  return `/api/v1/namespaces/${namespace}/secrets/${secret}`;
}
