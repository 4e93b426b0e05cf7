/** A light reading of TypeScript source, enough to look for words in code without being fooled by comments and strings. */

const opening = /\/\/|\/\*|'|"|`|\//y;
const afterOperator = /(?:^|[=(,:;!&|?{}[\n]|=>|\breturn)\s*$/;

/** The same text with the content of comments, strings and regular expressions replaced by spaces; line breaks stay. Code inside `${}` is blanked too. */
export function blank(source: string): string {
  let result = '';
  for (let at = 0; at < source.length; ) {
    opening.lastIndex = at;
    const mark = opening.exec(source)?.[0];
    const end = mark ? endOf(source, at, mark, result) : undefined;
    result += end === undefined ? source[at] : source.slice(at, end).replace(/[^\n]/g, ' ');
    at = end ?? at + 1;
  }
  return result;
}

function endOf(source: string, at: number, mark: string, before: string): number | undefined {
  if (mark === '//') return after(source, '\n', at) - 1;
  if (mark === '/*') return after(source, '*/', at + 2);
  if (mark === '/') return afterOperator.test(before.slice(-20)) ? endOfQuoted(source, at, '/') : undefined;
  return endOfQuoted(source, at, mark);
}

function after(source: string, text: string, from: number): number {
  const found = source.indexOf(text, from);
  return found < 0 ? source.length + 1 : found + text.length;
}

/** Just after the closing `quote`; a backslash hides what follows, and a character class hides a slash. */
function endOfQuoted(source: string, start: number, quote: string): number {
  let inClass = false;
  for (let at = start + 1; at < source.length; at++) {
    const character = source[at];
    if (character === '\\') at++;
    else if (quote === '/' && (character === '[' || character === ']')) inClass = character === '[';
    else if (character === quote && !inClass) return at + 1;
  }
  return source.length;
}

/** One import or re-export: what from, and the names taken from it (`*` for all, `default`). */
export interface Import {
  readonly from: string;
  readonly names: readonly string[];
}

const statement = /^\s*(?:import|export)\s+(?:type\s+)?([^'"`;]*?)\s*from\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;

/** Every import of a source file, static, dynamic or by a bare `import 'x'`. */
export function importsOf(source: string): readonly Import[] {
  return [...source.matchAll(statement)].map((match) => ({ from: match[2] ?? match[3] ?? match[4] ?? '', names: namesOf(match[1] ?? '*') }));
}

function namesOf(clause: string): readonly string[] {
  const braces = /\{([^}]*)\}/.exec(clause)?.[1];
  if (braces === undefined) return [clause.includes('*') ? '*' : 'default'];
  return braces
    .split(',')
    .map((part) => part.trim().replace(/^type\s+/, ''))
    .map((part) => part.split(/\s+as\s+/)[0] ?? '')
    .filter(Boolean);
}
