/** An authority in a folder, for a mesh without a cluster: `ca.crt` (the certificate, then intermediates), `ca.key`, and `roots.crt` where what is to be trusted is not in `ca.crt`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type AuthorityTimes, defaultAuthorityTimes, fill } from './authority-plan.js';
import { type CaMaterial, type Place, readAuthority } from './authority-secret.js';
import type { Ca } from './ca.js';
import { fileNames, readFolder, writeFolder } from './folder-store.js';
import { createListeners } from './listeners.js';

/** Where the authority is kept. */
export interface FolderCaOptions {
  readonly folder: string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Told what is wrong with the files, while their last good content stays in use. */
  readonly onError: (error: unknown) => void;
  /** How often the files are looked at, in milliseconds; five seconds unless given. */
  readonly intervalMs?: number | undefined;
  readonly times?: AuthorityTimes | undefined;
}

/** Reads the files; makes an authority where there is neither a certificate nor a key. Rejects with an Error that names the file and what to do. */
export async function openFolderCa(options: FolderCaOptions): Promise<Ca> {
  const { onError, intervalMs = 5_000 } = options;
  const listeners = createListeners();
  const closing = new AbortController();
  let current = (await read(options)) ?? (await make(options));
  const refresh = async () => {
    const next = await read(options);
    if (!next) throw new Error(`${join(options.folder, fileNames['tls.crt'])} is empty or gone; put the authority back`);
    const isSame = JSON.stringify(next) === JSON.stringify(current);
    current = next;
    if (!isSame) listeners.tell();
  };
  void follow(() => refresh().catch(onError), intervalMs, closing.signal);
  return { current: () => current, onChange: listeners.add, refresh, close: () => closing.abort() };
}

async function follow(look: () => Promise<void>, intervalMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await delay(intervalMs, undefined, { signal, ref: false }).catch(() => undefined);
    if (!signal.aborted) await look();
  }
}

async function read({ folder, clock }: FolderCaOptions): Promise<CaMaterial | undefined> {
  const { texts } = await readFolder(folder);
  return readAuthority(texts, placeOf(folder), clock());
}

function placeOf(folder: string): Place {
  const { 'tls.crt': certificate, 'tls.key': key } = fileNames;
  return { name: `folder ${folder}`, keys: fileNames, orElse: `or remove ${certificate} and ${key}, and Weft makes an authority of its own` };
}

/** Never over what is there: of two that begin at once, one fails. */
async function make(options: FolderCaOptions): Promise<CaMaterial> {
  const { folder, clock, times = defaultAuthorityTimes } = options;
  const filled = await fill(clock(), times);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, fileNames['tls.key']), filled.texts['tls.key'] ?? '', { mode: 0o600, flag: 'wx' });
  await writeFolder(folder, { ...filled, retiring: [] });
  const made = await read(options);
  if (!made) throw new Error(`folder ${folder} does not keep what is written to it`);
  return made;
}
