type Tree = Readonly<Record<string, unknown>>;

/** A message put together from fragments. */
export interface Merged<T> {
  readonly message: T;
  /** Paths that two fragments have both set; the later one is there. Always empty unless a feature has a defect. */
  readonly clashes: readonly string[];
}

/**
 * Lays fragments over defaults. Messages are merged field by field, lists and scalars are replaced. The defaults may be
 * overlaid, but no two fragments may set the same field, else the order of the features would decide.
 */
export function merge<T extends object>(defaults: T, fragments: readonly T[]): Merged<T> {
  const owned = new Set<string>();
  const clashes: string[] = [];
  const message = fragments.reduce<T>((sum, fragment) => {
    for (const path of leaves(fragment, '')) {
      if (owned.has(path)) clashes.push(path);
      owned.add(path);
    }
    return overlay(sum, fragment);
  }, defaults);
  return { message, clashes };
}

function leaves(value: object, path: string): readonly string[] {
  return Object.entries(value).flatMap(([key, child]) => {
    const here = path ? `${path}.${key}` : key;
    return isTree(child) ? leaves(child, here) : [here];
  });
}

function overlay<T extends object>(base: T, fragment: T): T {
  const merged: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(base)) merged[key] = value;
  for (const [key, value] of Object.entries(fragment)) {
    const below = merged[key];
    merged[key] = isTree(below) && isTree(value) ? overlay(below, value) : value;
  }
  return { ...base, ...merged };
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
