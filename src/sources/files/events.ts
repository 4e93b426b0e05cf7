/** Events of the file system below a folder, from chokidar, told in the two forms that the watch needs. */
import { type FSWatcher as ParentWatcher, watch as watchOnce } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { type ChokidarOptions, watch } from 'chokidar';
import { isPlain } from '../../kubernetes/plain.js';
import { watchNatively } from './native.js';
import { isHidden, isManifest } from './scan.js';

/** What is heard. */
export interface FolderEvents {
  /** A manifest may have come, changed or gone; its path relative to the folder. `isWhole`: it was renamed into place, not written there. */
  readonly file: (path: string, isWhole?: boolean) => void;
  /** A folder, or a link to one, came, went or was replaced: all that is below may be different. */
  readonly folder: () => void;
  /** Everything is watched now; what happened before may have been missed. */
  readonly ready: () => void;
  /** Something cannot be watched. */
  readonly error: (error: unknown) => void;
}

/** Starts to watch; the answer ends it. With `usePolling` the files are looked at every 100 ms, for file systems without events. */
export function watchEvents(root: string, usePolling: boolean, events: FolderEvents): () => Promise<void> {
  if (!usePolling) return watchNatively(root, events);
  const pathOf = (path: string) => relative(root, path).split(sep).join('/');
  const options: ChokidarOptions = {
    ignoreInitial: true,
    atomic: false,
    usePolling,
    ignored: (path, stats) => isHidden(pathOf(path)) || (stats?.isFile() === true && !isManifest(path)),
  };
  const watcher = watch(root, options);
  const onFile = (path: string) => {
    if (isManifest(path)) events.file(pathOf(path));
  };
  watcher.on('add', onFile).on('change', onFile).on('unlink', onFile);
  watcher.on('addDir', events.folder).on('unlinkDir', events.folder).on('ready', events.ready).on('error', events.error);
  watcher.on('raw', (event: string, name: unknown, details: unknown) => {
    const folder = isPlain(details) ? details['watchedPath'] : undefined;
    if (typeof folder !== 'string' || typeof name !== 'string') return;
    if (isManifest(name) && !isHidden(name)) onFile(basename(folder) === name ? folder : join(folder, name));
    else if (event === 'rename') onRename(folder, name, events);
  });
  return () => watcher.close();
}

/**
 * Chokidar does not tell of a link that leads to another folder now, nor of everything that happens in quick succession, so
 * what the system itself says is heard as well. Kubernetes replaces a mounted ConfigMap so: the files are links through
 * `..data`, and `..data` itself is a link that is renamed over.
 */
function onRename(folder: string, name: string, events: FolderEvents): void {
  if (name === '..data') events.folder();
  if (isHidden(name)) return;
  // A folder that is itself removed or moved reports its own name.
  if (name === basename(folder)) events.folder();
  stat(join(folder, name)).then(
    (found) => found.isDirectory() && events.folder(),
    () => undefined,
  );
}

/** Calls back when the folder's own entry in its parent changes: it came, or a link leads elsewhere now. The answer ends it. */
export function watchEntry(root: string, changed: () => void): () => void {
  let watcher: ParentWatcher | undefined;
  try {
    watcher = watchOnce(dirname(root), { persistent: false }, (_event, name) => {
      if (name === null || name === basename(root)) changed();
    });
    watcher.on('error', () => watcher?.close());
  } catch {
    // No parent, or none that may be watched: then only a link that is turned elsewhere goes unseen until something else happens.
  }
  return () => watcher?.close();
}
