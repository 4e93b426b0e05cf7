/**
 * The files of an authority in a folder. Each is written whole, by a rename, and in an order such that a reader, or the
 * next run after one that was stopped in between, always finds either what was or what is to be: the next authority
 * counts once it is trusted, and signs once `ca.key` is its key.
 */
import { createPrivateKey } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { textHash } from './authority-plan.js';
import { withLock } from './lock-file.js';
import type { RotationStep, StoredAuthority } from './rotation-plan.js';

/** The names of the files. */
export const fileNames = { 'tls.crt': 'ca.crt', 'tls.key': 'ca.key', 'ca.crt': 'roots.crt', 'next.crt': 'next.crt', 'next.key': 'next.key' } as const;

/** Beside them: what is known of them that is no certificate. */
const stateFile = 'state.json';

/** There while somebody writes. */
const lockFile = 'write.lock';

/** Reads the folder; what is not there is empty. */
export async function readFolder(folder: string): Promise<StoredAuthority> {
  const entries = await Promise.all(Object.entries(fileNames).map(async ([key, file]) => [key, await contentOf(join(folder, file))] as const));
  const texts = Object.fromEntries(entries.flatMap(([key, text]) => (text === undefined ? [] : [[key, text] as const])));
  return switched({ texts, ...stateOf(await contentOf(join(folder, stateFile))) });
}

/** Whoever was stopped after `ca.key` has been replaced, and before the rest was: the next authority signs. */
function switched(stored: StoredAuthority): StoredAuthority {
  const { 'next.crt': certificate, 'next.key': key, ...rest } = stored.texts;
  if (!certificate || !key || rest['tls.key'] !== key) return stored;
  return { ...stored, texts: { ...rest, 'tls.crt': certificate }, made: textHash(certificate) };
}

/** Writes a step. */
export async function writeFolder(folder: string, { texts, made, retiring }: RotationStep): Promise<void> {
  const state = () => replace(join(folder, stateFile), `${JSON.stringify({ made, retiring })}\n`, 0o644);
  const put = (key: keyof typeof fileNames, mode = 0o644) => replace(join(folder, fileNames[key]), texts[key] ?? '', mode);
  if (texts['next.key']) {
    await put('next.key', 0o600);
    await put('next.crt');
    await state();
    return put('ca.crt');
  }
  await put('ca.crt');
  const before = await readFile(join(folder, fileNames['tls.key']), 'utf8').catch(() => '');
  if (texts['tls.key'] !== before) {
    createPrivateKey(texts['tls.key'] ?? '');
    await put('tls.key', 0o600);
  }
  await put('tls.crt');
  await state();
  await Promise.all([rm(join(folder, fileNames['next.crt']), { force: true }), rm(join(folder, fileNames['next.key']), { force: true })]);
}

/** The same if the folder still holds what was read from it; false when somebody else was faster. */
export function replaceFolder(folder: string, before: StoredAuthority, step: RotationStep): Promise<boolean> {
  return withLock(join(folder, lockFile), async () => {
    if (JSON.stringify(await readFolder(folder)) !== JSON.stringify(before)) return false;
    await writeFolder(folder, step);
    return true;
  });
}

async function replace(path: string, text: string, mode: number): Promise<void> {
  await writeFile(`${path}.tmp`, text, { mode });
  await rename(`${path}.tmp`, path);
}

function stateOf(text: string | undefined): Pick<StoredAuthority, 'made' | 'retiring'> {
  const state: unknown = text === undefined ? {} : JSON.parse(text);
  const { made, retiring } = Object(state);
  return { made: typeof made === 'string' ? made : undefined, retiring: Array.isArray(retiring) ? retiring.map(String) : [] };
}

function contentOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
}
