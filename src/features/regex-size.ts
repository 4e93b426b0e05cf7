/**
 * How large a regular expression is when it is compiled, without compiling it: of an expression of 1,024 characters, such as
 * `(?:a{0,1000})` over and over, that takes seconds.
 */

/** What compiling takes. */
export interface RegexSize {
  /** About as many instructions as the program will have; more rather than fewer. */
  readonly instructions: number;
  /** How often it names a class of Unicode, such as \pL, each of which takes as long to parse as many instructions. */
  readonly classes: number;
}

/** One part of an expression: quoted text, an escape, a class in brackets, a repeat count, a bracket of a group, or any other character. */
const parts = /\\Q.*?(?:\\E|$)|\\[pPx]\{[^}]*\}|\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|\{(\d+)(,?)(\d*)\}|./gsu;

const unicodeClass = /\\[pP]/g;

/** Estimates the size of an expression, which may be none. Linear in its length. */
export function sizeOfRegex(expression: string): RegexSize {
  const groups = [emptyGroup()];
  for (const match of expression.matchAll(parts)) add(groups, match);
  while (groups.length > 1) closeGroup(groups);
  return { instructions: groups[0]?.total ?? 0, classes: [...expression.matchAll(unicodeClass)].length };
}

/** A group that is being read: the size of all in it, and of its last part, which a repeat count is about. */
interface Group {
  total: number;
  last: number;
}

function emptyGroup(): Group {
  return { total: 0, last: 0 };
}

function add(groups: Group[], [part, least, comma, most]: RegExpMatchArray): void {
  if (part === '(') groups.push(emptyGroup());
  else if (part === ')') closeGroup(groups);
  else if (least !== undefined) repeat(groups, Number(comma ? most || Number(least) + 1 : least));
  else append(groups, part.startsWith('\\Q') ? part.length : 1, 1);
}

function closeGroup(groups: Group[]): void {
  const closed = groups.length > 1 ? groups.pop() : undefined;
  append(groups, (closed?.total ?? 0) + 2);
}

function append(groups: readonly Group[], size: number, last = size): void {
  const group = groups.at(-1);
  if (!group) return;
  group.total += size;
  group.last = last;
}

/** Each copy that may be left out has an instruction of its own. */
function repeat(groups: readonly Group[], times: number): void {
  const group = groups.at(-1);
  if (!group) return;
  const size = (group.last + 1) * Math.max(1, times);
  group.total += size - group.last;
  group.last = size;
}
