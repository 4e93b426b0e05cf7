/**
 * The difference of two JSON values as a JSON patch (RFC 6902). Takes time in proportion to their size, whatever they hold: a
 * patch that is as short as can be takes time in the square of the length of a list, and whoever makes a Pod decides on that.
 */
import { isDeepStrictEqual } from 'node:util';

/** One step of a patch. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/** What leads from one value to the other; empty when they are equal. A field that is undefined counts as absent. */
export function patchBetween(before: unknown, after: unknown, path = ''): readonly PatchOperation[] {
  if (before === after) return [];
  if (Array.isArray(before) && Array.isArray(after)) return betweenLists(before, after, path);
  if (isMap(before) && isMap(after)) return betweenMaps(before, after, path);
  return isDeepStrictEqual(before, after) ? [] : [{ op: 'replace', path, value: after }];
}

type Fields = Readonly<Record<string, unknown>>;

function betweenMaps(before: Fields, after: Fields, path: string): readonly PatchOperation[] {
  const removed = Object.keys(before).filter((key) => fieldOf(before, key) !== undefined && fieldOf(after, key) === undefined);
  const changed = Object.entries(after).flatMap(([key, value]): readonly PatchOperation[] => {
    const at = `${path}/${escaped(key)}`;
    if (value === undefined) return [];
    return fieldOf(before, key) === undefined ? [{ op: 'add', path: at, value }] : patchBetween(fieldOf(before, key), value, at);
  });
  return [...removed.map((key) => ({ op: 'remove' as const, path: `${path}/${escaped(key)}` })), ...changed];
}

/** What both lists begin and end with stays. Between these, as many items on both sides are compared one by one, others replaced. */
function betweenLists(before: readonly unknown[], after: readonly unknown[], path: string): readonly PatchOperation[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && isDeepStrictEqual(before[head], after[head])) head++;
  let tail = 0;
  while (tail < shorter - head && isDeepStrictEqual(before.at(-1 - tail), after.at(-1 - tail))) tail++;
  const old = before.slice(head, before.length - tail);
  const fresh = after.slice(head, after.length - tail);
  if (old.length === fresh.length) return fresh.flatMap((value, index) => patchBetween(old[index], value, `${path}/${head + index}`));
  return [
    ...old.map(() => ({ op: 'remove' as const, path: `${path}/${head}` })),
    ...fresh.map((value, index) => ({ op: 'add' as const, path: `${path}/${head + index}`, value })),
  ];
}

function fieldOf(fields: Fields, key: string): unknown {
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
}

function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
