/** Reads one file, within bounds. */
import { open } from 'node:fs/promises';

/** The text of a file, or why there is none. */
export type ReadText = { readonly text: string } | { readonly gone: true } | { readonly message: string; readonly remedy: string };

/** The largest file that is read: 8 MiB, some thousand objects. Kubernetes itself takes at most 1.5 MiB for one object. */
export const maxFileBytes = 8 * 1024 * 1024;

/** Reads a file as UTF-8 text. Never rejects. */
export async function readText(path: string, maxBytes: number): Promise<ReadText> {
  try {
    const file = await open(path, 'r');
    try {
      const found = await file.stat();
      if (!found.isFile()) return { gone: true };
      if (found.size > maxBytes) return tooLarge(found.size, maxBytes);
      return { text: (await file.readFile('utf8')).replace(/^\uFEFF/, '') };
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? `${error.code}` : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return { gone: true };
    return { message: `cannot be read: ${error instanceof Error ? error.message : error}`, remedy: 'make the file readable, or move it out of the folder' };
  }
}

function tooLarge(bytes: number, maxBytes: number): ReadText {
  return { message: `is ${bytes} bytes long, and at most ${maxBytes} are read`, remedy: 'split the file into several' };
}
