/** The ServiceAccounts behind each Service, which change far less often than its endpoints do. */
import { isMeshed } from '../../model/mutual-tls.js';
import type { Key } from '../../model/name.js';
import type { Endpoint, Service } from '../../model/service.js';
import { keep } from './keep.js';
import { setOrDelete } from './set-or-delete.js';

/** Who answers for a Service. Changes are marked first and take effect together in `settle`. */
export interface IdentityTable {
  readonly get: (service: Key) => readonly string[];
  /** To be called where a Service or its endpoints have changed. */
  readonly mark: (service: Key) => void;
  /** Calls back for each Service for which others answer now. */
  readonly settle: (changed: (service: Key) => void) => void;
}

/** What the table looks up. */
export interface IdentitySources {
  readonly service: (key: Key) => Service | undefined;
  readonly endpoints: (key: Key) => readonly Endpoint[];
}

const none: readonly string[] = [];

/** A table without Services. */
export function createIdentityTable({ service, endpoints }: IdentitySources): IdentityTable {
  const answers = new Map<Key, readonly string[]>();
  const marked = new Set<Key>();
  const compute = (key: Key): readonly string[] => {
    const found = service(key);
    if (!found) return none;
    const meshed = endpoints(key).filter((endpoint) => isMeshed(found, endpoint));
    return [...new Set(meshed.map(({ serviceAccount }) => serviceAccount))].sort();
  };
  return {
    get: (key) => answers.get(key) ?? none,
    mark: (key) => marked.add(key),
    settle: (changed) => {
      for (const key of marked) {
        const before = answers.get(key) ?? none;
        const after = keep(before, compute(key));
        if (after === before) continue;
        setOrDelete(answers, key, after.length > 0 ? after : undefined);
        changed(key);
      }
      marked.clear();
    },
  };
}
