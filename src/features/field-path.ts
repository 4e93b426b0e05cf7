/** JSON pointers, which the validator speaks, and field paths, which people read. */

/** The parts of a JSON pointer (RFC 6901), with or without the leading `#`. */
export function pointerParts(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** What lies at the end of these parts within `root`, or undefined. */
export function follow(root: unknown, parts: readonly string[]): unknown {
  return parts.reduce<unknown>((value, part) => (isRecord(value) && Object.hasOwn(value, part) ? value[part] : undefined), root);
}

/** The path as people write it: `rules[0].matches[1].path`; a name that is no plain word in brackets and quotes. */
export function formatPath(root: unknown, parts: readonly string[]): string {
  return parts.reduce((path, part, index) => joinPath(path, part, Array.isArray(follow(root, parts.slice(0, index)))), '');
}

/** A path and one more part of it. */
export function joinPath(path: string, part: string, isIndex = false): string {
  if (isIndex) return `${path}[${part}]`;
  if (!/^[\w$-]+$/.test(part)) return `${path}[${JSON.stringify(part)}]`;
  return path ? `${path}.${part}` : part;
}

/** Whether a value has fields (or items) to look at. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
