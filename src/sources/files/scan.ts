/** Walks a folder: which manifests are in it, and whether they are the ones that were there before. */
import type { BigIntStats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { compareText } from '../store/order.js';

/** What was found. Paths are relative to the folder, with `/`. */
export interface Scan {
  /** The manifests, sorted by path, each with a mark that differs when the file may have been written or replaced. */
  readonly files: ReadonlyMap<string, string>;
  /** The folders, the scanned one as '', each with a mark that differs when it was replaced by another. */
  readonly folders: ReadonlyMap<string, string>;
}

/** Whether the file is one that is read, by its name. */
export function isManifest(path: string): boolean {
  return ['.yaml', '.yml', '.json'].includes(extname(path).toLowerCase());
}

/** Whether a name, or a relative path, begins with a dot or goes through a folder that does: such files are not read. */
export function isHidden(path: string): boolean {
  return path.split('/').some((name) => name.startsWith('.'));
}

/** Walks the folder and its sub-folders, symbolic links followed; undefined where there is no folder. */
export async function scanFolder(root: string): Promise<Scan | undefined> {
  const mark = await folderMark(root);
  if (mark === undefined) return undefined;
  const files = new Map<string, string>();
  const folders = new Map<string, string>();
  await walk(root, '', [mark], files, folders);
  folders.set('', mark);
  return { files: new Map([...files].sort(([a], [b]) => compareText(a, b))), folders };
}

/** What tells the folder at this path from another that takes its place; undefined where there is none. */
export async function folderMark(path: string): Promise<string | undefined> {
  const found = await statOf(path);
  return found?.isDirectory() ? markOf(found) : undefined;
}

/** `above` holds the marks of the folders on the way, so that a link to one of them does not go round for ever. */
async function walk(root: string, path: string, above: readonly string[], files: Map<string, string>, folders: Map<string, string>): Promise<void> {
  const names = await readdir(join(root, path)).catch(() => []);
  for (const name of names.filter((each) => !isHidden(each))) {
    const inner = path === '' ? name : `${path}/${name}`;
    const found = await statOf(join(root, inner));
    if (found?.isFile() && isManifest(name)) files.set(inner, `${markOf(found)}:${found.size}:${found.mtimeNs}`);
    const mark = found?.isDirectory() ? markOf(found) : undefined;
    if (mark === undefined || above.includes(mark)) continue;
    folders.set(inner, mark);
    await walk(root, inner, [...above, mark], files, folders);
  }
}

/** The time of birth too, since the number of a removed folder is soon given to another. */
function markOf({ dev, ino, birthtimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${birthtimeNs}`;
}

/** Undefined where there is nothing, or nothing that may be looked at. */
function statOf(path: string): Promise<BigIntStats | undefined> {
  return stat(path, { bigint: true }).catch(() => undefined);
}
