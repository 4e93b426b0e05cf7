/** A file by which processes take turns. Whoever was killed while he had it blocks nobody for long. */
import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** What is done under a lock takes milliseconds: one that has been seen for so long has been left behind. */
const staleMs = 10_000;
const pauseMs = 20;

/** Does the work while nobody else has the file. `leftAfterMs` is for tests. */
export async function withLock<T>(path: string, work: () => Promise<T>, leftAfterMs = staleMs): Promise<T> {
  const own = randomUUID();
  await take(path, own, leftAfterMs);
  try {
    return await work();
  } finally {
    if ((await holderOf(path)) === own) await rm(path, { force: true });
  }
}

/** By this process's own clock, so that neither a wrong time nor that of another machine matters. */
async function take(path: string, own: string, leftAfterMs: number): Promise<void> {
  let seen: string | undefined;
  let since = performance.now();
  while (!(await isMade(path, own))) {
    const holder = await holderOf(path);
    if (holder !== seen) [seen, since] = [holder, performance.now()];
    if (holder !== undefined && performance.now() - since >= leftAfterMs) await clear(path, holder, own);
    else await delay(pauseMs);
  }
}

async function isMade(path: string, own: string): Promise<boolean> {
  try {
    await writeFile(path, own, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves it away; and back again, should it be another one by now. */
async function clear(path: string, holder: string, own: string): Promise<void> {
  const away = `${path}.${own}.left`;
  await rename(path, away).catch(() => undefined);
  const moved = await holderOf(away);
  if (moved !== undefined && moved !== holder) await link(away, path).catch(() => undefined);
  await rm(away, { force: true });
}

function holderOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
