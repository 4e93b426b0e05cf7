/**
 * Events of the file system below a folder, from one watch for each folder: what a change costs does not depend on how many
 * files there are, which it does where each file is watched or a folder is read again at every event.
 */
import { type FSWatcher, watch } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FolderEvents } from './events.js';
import { isHidden, isManifest } from './scan.js';

/** Starts to watch; the answer ends it. */
export function watchNatively(root: string, events: FolderEvents): () => Promise<void> {
  const watchers = new Map<string, FSWatcher>();
  let isClosed = false;

  const add = (path: string, heard: (event: string, name: string | null) => void) => {
    if (isClosed || watchers.has(path)) return;
    const watcher = watch(path, heard);
    watchers.set(path, watcher);
    const drop = () => {
      watcher.close();
      if (watchers.get(path) === watcher) watchers.delete(path);
    };
    watcher.on('error', drop);
  };

  /** A folder, and those below it; one that has vanished meanwhile is heard of by the folder above. `above` says which are on the way. */
  async function addFolder(path: string, above: readonly string[]): Promise<void> {
    try {
      add(join(root, path), (event, name) => onEvent(path, event, name));
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    for (const entry of await readdir(join(root, path), { withFileTypes: true }).catch(() => [])) {
      if (isHidden(entry.name) || (entry.isFile() && !entry.isSymbolicLink())) continue;
      await addEntry(path === '' ? entry.name : `${path}/${entry.name}`, above);
    }
  }

  /** A sub-folder, or a link: to a folder, or to a file elsewhere, whose own folder is not watched. */
  async function addEntry(path: string, above: readonly string[]): Promise<void> {
    const full = join(root, path);
    const found = await stat(full).catch(() => undefined);
    const mark = found && `${found.dev}:${found.ino}`;
    // A link to a folder on the way would lead round for ever.
    if (mark && found.isDirectory()) return above.includes(mark) ? undefined : addFolder(path, [...above, mark]);
    const link = await lstat(full).catch(() => undefined);
    if (found && link?.isSymbolicLink() && isManifest(path)) add(full, () => events.file(path));
  }

  function onEvent(folder: string, event: string, name: string | null): void {
    if (isClosed) return;
    if (name === null || name === '..data') return events.folder();
    if (isHidden(name)) return;
    const path = folder === '' ? name : `${folder}/${name}`;
    if (isManifest(name)) events.file(path, event === 'rename');
    if (event === 'rename') void onRename(path);
  }

  /** Something came or went: a folder that is new is watched before it is read. */
  async function onRename(path: string): Promise<void> {
    const full = join(root, path);
    const known = watchers.get(full);
    const found = await stat(full).catch(() => undefined);
    if (!known && !found?.isDirectory()) return;
    known?.close();
    watchers.delete(full);
    if (found) await addEntry(path, []).catch(events.error);
    events.folder();
  }

  addFolder('', []).then(events.ready, events.error);
  return async () => {
    isClosed = true;
    for (const watcher of watchers.values()) watcher.close();
    watchers.clear();
  };
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
