/** Texts of several YAML documents: taken apart, and put together again without touching what has not changed. */
import { type Document, parseAllDocuments, stringify } from 'yaml';

/** One document. */
export interface SourceDocument {
  readonly value: unknown;
  /** Its part of the text, comments and all; undefined once the value is another. */
  readonly source: string | undefined;
}

/** Reads YAML, or JSON, which is YAML too. Throws an Error that names the file and the line of what is none. */
export function readManifests(text: string, filename: string): readonly SourceDocument[] {
  const documents = parseAllDocuments(text, { merge: true });
  const list: readonly Document.Parsed[] = Array.isArray(documents) ? documents : [];
  const broken = list.flatMap(({ errors }) => errors)[0];
  if (broken) throw new Error(`${filename} is no YAML: ${broken.message}`);
  // A document's own range leaves out the comments before it.
  const ends = [0, ...list.map(({ range }) => range[2])];
  return list.flatMap((document, index) => {
    const value: unknown = document.toJS();
    return value === null || value === undefined ? [] : [{ value, source: text.slice(ends[index], ends[index + 1]) }];
  });
}

/** The documents as YAML, or as JSON: a List where there are several. */
export function printManifests(documents: readonly SourceDocument[], format: 'yaml' | 'json'): string {
  if (format === 'yaml') return documents.map(({ value, source }) => trimmed(source ?? toYaml(value))).join('---\n');
  const [only, ...more] = documents.map(({ value }) => value);
  const value = more.length === 0 && only !== undefined ? only : { apiVersion: 'v1', kind: 'List', items: documents.map((each) => each.value) };
  return `${JSON.stringify(value, null, 2)}\n`;
}

function toYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}

function trimmed(text: string): string {
  const lines = text.split('\n').filter((line) => !/^(---|\.\.\.)\s*$/.test(line));
  return `${lines.join('\n').trim()}\n`;
}
