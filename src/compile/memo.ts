/** What tells two calls apart: objects by identity, other values by value. */
export type MemoKey = object | string | number | boolean;

/** How many different texts or numbers are remembered beside one another; more than that and all are forgotten and computed again. */
const rememberedValues = 1024;

interface Node<Result> {
  readonly byIdentity: WeakMap<object, Node<Result>>;
  readonly byValue: Map<string | number | boolean, Node<Result>>;
  result?: { readonly value: Result };
}

function createNode<Result>(): Node<Result> {
  return { byIdentity: new WeakMap(), byValue: new Map() };
}

/**
 * Remembers results by the list of keys that they depend on: `memo(keys, build)` answers with the same object for the same
 * keys. A result lives as long as all its object keys, so the memory follows the world as it is, not its history.
 */
export function createMemo<Result>(): (keys: readonly MemoKey[], build: () => Result) => Result {
  const root = createNode<Result>();
  return (keys, build) => {
    let node = root;
    for (const key of keys) node = childOf(node, key);
    node.result ??= { value: build() };
    return node.result.value;
  };
}

function childOf<Result>(node: Node<Result>, key: MemoKey): Node<Result> {
  return typeof key === 'object' ? childByIdentity(node, key) : childByValue(node, key);
}

function childByIdentity<Result>(node: Node<Result>, key: object): Node<Result> {
  const known = node.byIdentity.get(key);
  if (known) return known;
  const child = createNode<Result>();
  node.byIdentity.set(key, child);
  return child;
}

function childByValue<Result>(node: Node<Result>, key: string | number | boolean): Node<Result> {
  const known = node.byValue.get(key);
  if (known) return known;
  if (node.byValue.size >= rememberedValues) node.byValue.clear();
  const child = createNode<Result>();
  node.byValue.set(key, child);
  return child;
}
