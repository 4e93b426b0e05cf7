/** Where a field stands in a document. */
import { type Document, isAlias, isMap, isNode, isPair, isScalar, isSeq } from 'yaml';

interface Found {
  readonly offset: number;
  readonly node: unknown;
}

/** The offset of the field that the steps lead to, or as far as they lead. */
export function offsetOf(document: Document, steps: readonly string[]): number {
  let found: Found = { offset: startOf(document.contents) ?? document.range?.[0] ?? 0, node: document.contents };
  for (const step of steps) {
    const next = child(document, found.node, step);
    if (!next) break;
    found = next;
  }
  return found.offset;
}

function child(document: Document, node: unknown, step: string): Found | undefined {
  const at = isAlias(node) ? node.resolve(document) : node;
  if (isMap(at)) {
    const pair = at.items.find(({ key }) => textOf(key) === step);
    const offset = startOf(pair?.key);
    return pair && offset !== undefined ? { offset, node: pair.value } : undefined;
  }
  if (!isSeq(at)) return undefined;
  const item = /^[0-9]+$/.test(step) ? at.items[Number(step)] : at.items.find((each) => isMap(each) && each.get('name') === step);
  const offset = startOf(item);
  return offset === undefined ? undefined : { offset, node: item };
}

function startOf(node: unknown): number | undefined {
  if (isPair(node)) return startOf(node.key);
  return isNode(node) ? node.range?.[0] : undefined;
}

function textOf(key: unknown): string {
  return isScalar(key) ? `${key.value}` : `${key}`;
}
