/** The documents of a YAML or JSON text, each on its own, so that a broken one harms no other. Pure. */
import { type Document, LineCounter, parseAllDocuments, visit } from 'yaml';
import { fieldSteps } from '../objects/field-path.js';
import { offsetOf } from './locate.js';

/** A document of a text. */
export interface TextDocument {
  /** As plain values; what could be read of it where there is a `problem`; undefined for an empty document. */
  readonly value: unknown;
  readonly problem?: { readonly message: string; readonly line: number } | undefined;
  /** The line of a field, counted from 1 in the whole text; of what is nearest around it where the field is missing. */
  readonly lineOf: (field: string) => number;
}

/** How often a document may use aliases; more of them can blow up a small text to gigabytes. */
const maxAliasCount = 100;

/** Reads the documents of a text one after the other, so that whoever has other things to do may do them in between. */
export function* readDocuments(text: string): Generator<TextDocument> {
  for (const { text: part, line } of split(text)) yield* readPart(part, line);
}

interface Part {
  readonly text: string;
  readonly line: number;
}

/**
 * Cuts at the markers `---` at the beginning of a line, which is a marker wherever it stands (YAML 1.2.2, rule 206). The
 * parser alone would take what follows an unclosed quotation mark, the next documents included, for one long text.
 */
function split(text: string): readonly Part[] {
  const starts = [0, ...[...text.matchAll(/^---(?=\s|$)/gm)].map(({ index }) => index)];
  const parts: Part[] = [];
  let pending = '';
  let line = 1;
  let pendingLine = 1;
  for (const [index, start] of starts.entries()) {
    const piece = text.slice(start, starts[index + 1] ?? text.length);
    if (pending === '') pendingLine = line;
    line += piece.split('\n').length - 1;
    // Directives stand before the marker of the document that they are for.
    if (/^%/m.test(piece) && /^(\s*(#.*|%.*)?\n)*\s*$/.test(piece)) pending += piece;
    else {
      parts.push({ text: pending + piece, line: pendingLine });
      pending = '';
    }
  }
  return pending === '' ? parts : [...parts, { text: pending, line: pendingLine }];
}

function readPart(text: string, firstLine: number): readonly TextDocument[] {
  const lines = new LineCounter();
  const lineAt = (offset: number) => firstLine + Math.max(1, lines.linePos(offset).line) - 1;
  try {
    const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, merge: true, logLevel: 'silent' });
    return [...parsed].map((document) => toDocument(document, lineAt));
  } catch (error) {
    // Nested so deeply that the parser ran out of stack.
    return [{ value: undefined, problem: { message: messageOf(error), line: firstLine }, lineOf: () => firstLine }];
  }
}

function toDocument(document: Document, lineAt: (offset: number) => number): TextDocument {
  const lineOf = (field: string) => lineAt(offsetOf(document, fieldSteps(field)));
  const error = document.errors[0];
  const problem = error && { message: messageOf(error), line: lineAt(error.pos[0]) };
  try {
    return { value: document.toJS({ maxAliasCount }) ?? undefined, problem, lineOf };
  } catch (thrown) {
    const line = lineAt(strayAlias(document) ?? offsetOf(document, []));
    return { value: undefined, problem: problem ?? { message: messageOf(thrown), line }, lineOf };
  }
}

/** The offset of an alias without an anchor, which is found only when the values are made. */
function strayAlias(document: Document): number | undefined {
  let offset: number | undefined;
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document)) return undefined;
      offset = alias.range?.[0];
      return visit.BREAK;
    },
  });
  return offset;
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : `${error}`;
  // The parser's own stack has an end.
  return /call stack/i.test(message) ? 'is nested too deeply' : message;
}
