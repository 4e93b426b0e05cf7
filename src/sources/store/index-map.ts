/** A map of sets without empty ones. */

/** Which values belong to a key. */
export interface IndexMap<K, V> {
  readonly get: (key: K) => ReadonlySet<V>;
  readonly add: (key: K, value: V) => void;
  readonly delete: (key: K, value: V) => void;
}

/** An empty index. */
export function createIndex<K, V>(): IndexMap<K, V> {
  const sets = new Map<K, Set<V>>();
  const none: ReadonlySet<V> = new Set();
  return {
    get: (key) => sets.get(key) ?? none,
    add: (key, value) => {
      const set = sets.get(key);
      if (set) set.add(value);
      else sets.set(key, new Set([value]));
    },
    delete: (key, value) => {
      const set = sets.get(key);
      if (set?.delete(value) && set.size === 0) sets.delete(key);
    },
  };
}

/** Moves a value in an index from the keys that it had to those that it has now. */
export function reindex<K, V>(index: IndexMap<K, V>, value: V, before: ReadonlySet<K>, after: ReadonlySet<K>): void {
  for (const key of before) if (!after.has(key)) index.delete(key, value);
  for (const key of after) if (!before.has(key)) index.add(key, value);
}
