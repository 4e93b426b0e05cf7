/** Brings files of a folder up to date in its contents, each read once. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Diagnostic, Origin } from '../../model/diagnostic.js';
import type { ObjectRef } from '../../model/name.js';
import type { Parsers } from '../change.js';
import { createFolderContents, type Update } from './contents.js';
import { interpretFile, unreadable } from './interpret.js';
import { maxFileBytes, type ReadText, readText } from './read.js';

/** What can be set for the reading of a folder. */
export interface LoadOptions {
  /** The largest file that is read, in bytes; 8 MiB unless told. */
  readonly maxFileBytes?: number | undefined;
  /** How a file is read, by its full path; for those who have to see which files are. */
  readonly read?: ((path: string, maxBytes: number) => Promise<ReadText>) | undefined;
}

/** The files of a folder as read so far. */
export interface Loader {
  /** Reads these files (paths relative to the folder). `isFinal` believes an empty file at once, which may be one that is just being written. */
  readonly load: (files: readonly string[], isFinal: boolean) => Promise<{ readonly emptied: readonly string[] }>;
  readonly setTrouble: (diagnostics: readonly Diagnostic[]) => void;
  readonly settle: () => Update;
  /** What is wrong with objects without which nothing may be served. */
  readonly vital: () => readonly Diagnostic[];
  /** Where an object begins that is in force. */
  readonly originOf: (object: ObjectRef) => Origin | undefined;
}

/** How many files are read at once. */
const concurrency = 32;

/** A loader for a folder, which has read nothing yet. */
export function createLoader(root: string, parsers: Parsers, options: LoadOptions): Loader {
  const contents = createFolderContents();
  const hashes = new Map<string, string>();
  const read = options.read ?? readText;
  const maxBytes = options.maxFileBytes ?? maxFileBytes;

  const take = async (file: string, result: ReadText) => {
    if (!('text' in result)) {
      hashes.delete(file);
      return contents.put(file, 'gone' in result ? undefined : unreadable(file, result.message, result.remedy));
    }
    const hash = createHash('sha256').update(result.text).digest('base64');
    if (hashes.get(file) === hash) return;
    hashes.set(file, hash);
    contents.put(file, await interpretFile(file, result.text, parsers));
  };

  const load = async (files: readonly string[], isFinal: boolean) => {
    const emptied: string[] = [];
    for (let start = 0; start < files.length; start += concurrency) {
      const some = files.slice(start, start + concurrency);
      const results = await Promise.all(some.map(async (file) => ({ file, result: await read(join(root, file), maxBytes) })));
      for (const { file, result } of results) {
        const isEmpty = 'text' in result && result.text.trim() === '';
        if (isEmpty && !isFinal && contents.holds(file)) emptied.push(file);
        else await take(file, result);
      }
    }
    return { emptied };
  };

  return { load, setTrouble: contents.setTrouble, settle: contents.settle, vital: contents.vital, originOf: contents.originOf };
}

/** The diagnostic for a folder that is not there. */
export function missingFolder(root: string): Diagnostic {
  const message = 'is not there, or is not a folder';
  const remedy = 'create the folder, or correct its path; what was read from it before stays in force until then';
  return { severity: 'error', object: { kind: 'Folder', namespace: '', name: root }, field: '', reason: 'FolderNotFound', message, remedy };
}
