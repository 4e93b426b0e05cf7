/** Which Services may select a workload, filed under one label of their selectors, so that a change of one costs only those concerned. */
import { filingOf } from '../../model/labels.js';
import type { Key } from '../../model/name.js';
import type { Service } from '../../model/service.js';
import { createIndex } from './index-map.js';
import { compareText } from './order.js';
import { setOrDelete } from './set-or-delete.js';

/** Services by what they are filed under. Changes are made first and take effect together in `settle`. */
export interface SelectorTable {
  readonly get: (filing: string) => readonly Service[];
  readonly replace: (before: Service | undefined, after: Service | undefined) => void;
  /** Calls back for each filing under which there is something else now. */
  readonly settle: (changed: (filing: string) => void) => void;
}

const none: readonly Service[] = [];

/** A table without Services. */
export function createSelectorTable(service: (key: Key) => Service | undefined): SelectorTable {
  const filed = createIndex<string, Key>();
  const answers = new Map<string, readonly Service[]>();
  const marked = new Set<string>();
  const filing = (one: Service | undefined) => one && filingOf(one.namespace, one.selector);
  return {
    get: (key) => answers.get(key) ?? none,
    replace: (before, after) => {
      const [from, to] = [filing(before), filing(after)];
      if (before && from !== undefined) filed.delete(from, before.key);
      if (after && to !== undefined) filed.add(to, after.key);
      for (const key of [from, to]) if (key !== undefined) marked.add(key);
    },
    settle: (changed) => {
      for (const key of marked) {
        const before = answers.get(key) ?? none;
        const after = [...filed.get(key)].sort(compareText).flatMap((each) => service(each) ?? []);
        if (before.length === after.length && before.every((each, index) => each === after[index])) continue;
        setOrDelete(answers, key, after.length > 0 ? after : undefined);
        changed(key);
      }
      marked.clear();
    },
  };
}
