/** Where the fields of objects stand that were read before: their files are read again, since nothing of a text is kept. */
import { join } from 'node:path';
import { isPlain } from '../../kubernetes/plain.js';
import type { Diagnostic, Origin } from '../../model/diagnostic.js';
import type { ObjectRef } from '../../model/name.js';
import { readDocuments, type TextDocument } from './documents.js';
import { maxFileBytes, readText } from './read.js';

/** The diagnostics with the file and line of the field that each is about, where the object came from a file; those that know theirs stay as they are. */
export async function withOrigins(
  root: string,
  diagnostics: readonly Diagnostic[],
  originOf: (object: ObjectRef) => Origin | undefined,
): Promise<readonly Diagnostic[]> {
  const files = new Map<string, readonly TextDocument[]>();
  const located: Diagnostic[] = [];
  for (const diagnostic of diagnostics) {
    const origin = diagnostic.origin ?? originOf(diagnostic.object);
    if (!origin || diagnostic.origin) {
      located.push(diagnostic);
      continue;
    }
    const documents = files.get(origin.file) ?? (await documentsOf(join(root, origin.file)));
    files.set(origin.file, documents);
    located.push({ ...diagnostic, origin: { file: origin.file, line: lineOfField(documents, origin.line, diagnostic.field) } });
  }
  return located;
}

async function documentsOf(path: string): Promise<readonly TextDocument[]> {
  const result = await readText(path, maxFileBytes);
  return 'text' in result ? [...readDocuments(result.text)] : [];
}

/** The line of a field of the object that begins at this line; the object's own line where the file has changed meanwhile. */
function lineOfField(documents: readonly TextDocument[], objectLine: number, field: string): number {
  for (const document of documents) {
    const path = placesIn(document).find((place) => document.lineOf(place) === objectLine);
    if (path !== undefined) return document.lineOf(path && field ? `${path}.${field}` : path || field);
  }
  return objectLine;
}

/** The items of a List, or the document itself. */
function placesIn({ value }: TextDocument): readonly string[] {
  const items = isPlain(value) ? value['items'] : undefined;
  return Array.isArray(items) ? items.map((_, index) => `items[${index}]`) : [''];
}
