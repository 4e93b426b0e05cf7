/** Follows a folder: every event leads to reading what it concerns, and to nothing else. */
import { resolve } from 'node:path';
import type { Diagnostic } from '../../model/diagnostic.js';
import type { Change, Parsers } from '../change.js';
import { createBatch } from './batch.js';
import { watchEntry } from './events.js';
import { createGuard, type Guard } from './guard.js';
import { createLoader, type Loader, type LoadOptions, missingFolder } from './loader.js';
import { folderMark, type Scan, scanFolder } from './scan.js';

/** What to follow, and whom to tell. */
export interface WatchOptions extends LoadOptions {
  readonly dir: string;
  readonly parsers: Parsers;
  /** Called once after the first complete scan, even of an empty folder, and then whenever objects change, with the changes since the last call. */
  readonly onChange: (changes: readonly Change[]) => void;
  /** Called with all that is wrong whenever that changes, before the `onChange` that belongs to it. The first time an empty list is no change. */
  readonly onDiagnostics?: ((diagnostics: readonly Diagnostic[]) => void) | undefined;
  /** For file systems that tell nothing of changes made elsewhere, such as NFS. */
  readonly usePolling?: boolean | undefined;
  /** How long nothing has to happen before changes are read, 20 ms unless told. */
  readonly quietMs?: number | undefined;
  /** How long they wait at most, 100 ms unless told. */
  readonly maximumMs?: number | undefined;
}

/** A folder that is being followed. */
export interface FolderWatch {
  /** Resolves after the first call of `onChange`, or when the watch is closed before that. */
  readonly ready: Promise<void>;
  /** What is wrong with objects without which nothing may be served, as it is now; empty while there are none such. */
  readonly vital: () => readonly Diagnostic[];
  /** Ends it; nothing is called back any more. */
  readonly close: () => Promise<void>;
}

/** A file that has been renamed into place is whole: it is read with all those of which is known at that moment. */
const wholeMs = 0;

/** How often a folder that is not there is looked for. */
const missingRetryMs = 250;

/** What is known and what is to be done. */
interface Follower {
  readonly root: string;
  readonly options: WatchOptions;
  readonly loader: Loader;
  readonly guard: Guard;
  /** Files to read, and those of them that may be believed to be empty. */
  readonly dirty: Set<string>;
  readonly final: Set<string>;
  readonly timers: Set<NodeJS.Timeout>;
  readonly touch: (withinMs?: number) => void;
  readonly onReady: () => void;
  isAllDirty: boolean;
  scanned: Scan | undefined;
  diagnostics: readonly Diagnostic[];
  watchProblems: readonly Diagnostic[];
  isAnnounced: boolean;
  isClosed: boolean;
}

/** Starts to follow a folder. One that is missing is waited for; one that vanishes keeps its objects in force until it is back. */
export async function watchFolder(options: WatchOptions): Promise<FolderWatch> {
  const root = resolve(options.dir);
  let onReady: () => void = () => undefined;
  const ready = new Promise<void>((resolveReady) => {
    onReady = resolveReady;
  });
  const batch = createBatch({ quietMs: options.quietMs ?? 20, maximumMs: options.maximumMs ?? 100, run: () => step(follower) });
  const follower: Follower = {
    ...{
      root,
      options,
      onReady,
      touch: batch.touch,
      loader: createLoader(root, options.parsers, options),
      guard: createGuard(root, options.usePolling ?? false),
    },
    ...{ dirty: new Set(), final: new Set(), timers: new Set(), isAllDirty: false, scanned: undefined },
    ...{ diagnostics: [], watchProblems: [], isAnnounced: false, isClosed: false },
  };
  const stopEntry = watchEntry(root, () => touchAll(follower));
  touchAll(follower);
  const close = async () => {
    follower.isClosed = true;
    stopEntry();
    for (const timer of follower.timers) clearTimeout(timer);
    await batch.close();
    await follower.guard.stop();
    onReady();
  };
  return { ready, vital: follower.loader.vital, close };
}

function touchAll(follower: Follower): void {
  follower.isAllDirty = true;
  follower.touch();
}

/** Brings everything up to date that an event has named. */
async function step(follower: Follower): Promise<void> {
  const mark = await folderMark(follower.root);
  if (follower.isClosed) return;
  if (mark === undefined) return waitForFolder(follower);
  if (follower.guard.mark() !== mark) return watchAnew(follower, mark);
  if (!follower.guard.isReady()) return;
  if (follower.isAllDirty && !(await rescan(follower))) return watchAnew(follower, mark);
  const final = take(follower.final);
  const files = take(follower.dirty).filter((file) => !final.includes(file));
  const { emptied } = await follower.loader.load(files, false);
  await follower.loader.load(final, true);
  for (const file of emptied) readAgain(follower, file);
  follower.loader.setTrouble(follower.watchProblems);
  deliver(follower, true);
}

/** Finds what is different from the last scan; false where a folder has been replaced by another, which is not watched yet. */
async function rescan(follower: Follower): Promise<boolean> {
  follower.isAllDirty = false;
  const before = follower.scanned;
  const now = await scanFolder(follower.root);
  if (!now) return true;
  follower.scanned = now;
  for (const [file, mark] of now.files) if (before?.files.get(file) !== mark) follower.dirty.add(file);
  for (const file of before?.files.keys() ?? []) if (!now.files.has(file)) follower.dirty.add(file);
  return [...now.folders].every(([folder, mark]) => (before?.folders.get(folder) ?? mark) === mark);
}

/** Everything is scanned once more when the new watch is complete, so nothing is missed in between. */
async function watchAnew(follower: Follower, mark: string): Promise<void> {
  follower.isAllDirty = true;
  follower.watchProblems = [];
  await follower.guard.start(mark, {
    file: (path, isWhole) => {
      follower.dirty.add(path);
      follower.touch(isWhole ? wholeMs : undefined);
    },
    folder: () => touchAll(follower),
    ready: () => touchAll(follower),
    error: (error) => {
      follower.watchProblems = [watchFailed(follower.root, error)];
      touchAll(follower);
    },
  });
}

async function waitForFolder(follower: Follower): Promise<void> {
  await follower.guard.stop();
  follower.loader.setTrouble([missingFolder(follower.root)]);
  deliver(follower, false);
  later(follower, missingRetryMs, () => touchAll(follower));
}

/** A file that is empty all of a sudden is mostly one that is just being written. */
function readAgain(follower: Follower, file: string): void {
  later(follower, follower.options.maximumMs ?? 100, () => {
    follower.final.add(file);
    follower.touch();
  });
}

function later(follower: Follower, ms: number, run: () => void): void {
  if (follower.isClosed) return;
  const timer = setTimeout(() => {
    follower.timers.delete(timer);
    run();
  }, ms);
  follower.timers.add(timer);
}

function deliver(follower: Follower, isScanned: boolean): void {
  if (follower.isClosed) return;
  const { changes, diagnostics } = follower.loader.settle();
  if (diagnostics !== follower.diagnostics && (diagnostics.length > 0 || follower.diagnostics.length > 0)) follower.options.onDiagnostics?.(diagnostics);
  follower.diagnostics = diagnostics;
  const isFirst = isScanned && !follower.isAnnounced;
  if (isFirst || changes.length > 0) follower.options.onChange(changes);
  if (!isFirst) return;
  follower.isAnnounced = true;
  follower.onReady();
}

function take(set: Set<string>): readonly string[] {
  const all = [...set];
  set.clear();
  return all;
}

function watchFailed(root: string, error: unknown): Diagnostic {
  const message = `cannot be watched as a whole: ${error instanceof Error ? error.message : error}`;
  const remedy = 'raise the limit that the message names (fs.inotify.max_user_watches for ENOSPC), or ask for polling';
  return { severity: 'error', object: { kind: 'Folder', namespace: '', name: root }, field: '', reason: 'WatchFailed', message, remedy };
}
