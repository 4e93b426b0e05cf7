/** `namespace/name`, the key of a namespaced object within its kind. */
export type Key = `${string}/${string}`;

/** The key of an object. */
export function keyOf(namespace: string, name: string): Key {
  return `${namespace}/${name}`;
}

/** The two parts of a key. */
export function splitKey(key: Key): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** An object of the cluster or of the folder, as messages name it: `TrafficPolicy shop/reviews`. */
export interface ObjectRef {
  readonly kind: string;
  /** Empty for a cluster-scoped object. */
  readonly namespace: string;
  readonly name: string;
}

/** `Kind namespace/name`, or `Kind name` without a namespace. */
export function formatRef(ref: ObjectRef): string {
  return `${ref.kind} ${ref.namespace ? `${ref.namespace}/` : ''}${ref.name}`;
}
