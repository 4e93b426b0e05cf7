/** A folder of ordinary Kubernetes YAML or JSON as a source: read once, or followed. */
import { resolve } from 'node:path';
import type { Diagnostic } from '../model/diagnostic.js';
import type { Parsers } from './change.js';
import type { Update } from './files/contents.js';
import { createLoader, type LoadOptions, missingFolder } from './files/loader.js';
import { withOrigins } from './files/origins.js';
import { scanFolder } from './files/scan.js';

export type { Update } from './files/contents.js';
export { type FolderWatch, type WatchOptions, watchFolder } from './files/watch.js';

/** A folder that has been read. */
export interface LoadedFolder extends Update {
  /** Adds file and line to what others have found wrong with objects of the folder. */
  readonly locate: (diagnostics: readonly Diagnostic[]) => Promise<readonly Diagnostic[]>;
}

/** Reads a folder once, sub-folders included: `.yaml`, `.yml` and `.json`, without what begins with a dot. Never rejects; what is wrong is in the diagnostics. */
export async function loadFolder(dir: string, parsers: Parsers, options: LoadOptions = {}): Promise<LoadedFolder> {
  const root = resolve(dir);
  const loader = createLoader(root, parsers, options);
  const scan = await scanFolder(root);
  if (scan) await loader.load([...scan.files.keys()], true);
  else loader.setTrouble([missingFolder(dir)]);
  return { ...loader.settle(), locate: (diagnostics) => withOrigins(root, diagnostics, loader.originOf) };
}
