/** Which TrafficPolicies concern a Service, found by what they target. */
import type { Key } from '../../model/name.js';
import { keyOf, splitKey } from '../../model/name.js';
import type { TrafficPolicy } from '../../model/policy.js';
import { createIndex, reindex } from './index-map.js';
import { compareAge } from './order.js';

/** The policies of every Service that exists. Changes are made first and take effect together in `settle`. */
export interface PolicyTable {
  readonly get: (service: Key) => readonly TrafficPolicy[];
  readonly replace: (before: TrafficPolicy | undefined, after: TrafficPolicy | undefined) => void;
  /** To be called where a Service came or went. */
  readonly mark: (service: Key) => void;
  /** Calls back for each Service whose policies differ. */
  readonly settle: (changed: (service: Key) => void) => void;
}

/** What the table asks of the Services. */
export interface KnownServices {
  readonly has: (service: Key) => boolean;
  readonly inNamespace: (namespace: string) => ReadonlySet<Key>;
}

const none: readonly TrafficPolicy[] = [];

/** A table without policies. */
export function createPolicyTable(services: KnownServices): PolicyTable {
  const byService = createIndex<Key, TrafficPolicy>();
  const byNamespace = createIndex<string, TrafficPolicy>();
  const answers = new Map<Key, readonly TrafficPolicy[]>();
  const marked = new Set<Key>();

  const markTargets = (policy: TrafficPolicy | undefined) => {
    const targets = policy ? targetsOf(policy) : noTargets;
    for (const service of targets.services) marked.add(service);
    for (const namespace of targets.namespaces) for (const service of services.inNamespace(namespace)) marked.add(service);
  };

  const remove = (policy: TrafficPolicy, { services: keys, namespaces }: Targets) => {
    reindex(byService, policy, keys, noTargets.services);
    reindex(byNamespace, policy, namespaces, noTargets.namespaces);
  };

  const compute = (service: Key): readonly TrafficPolicy[] => {
    if (!services.has(service)) return none;
    const found = new Set([...byService.get(service), ...byNamespace.get(splitKey(service).namespace)]);
    return found.size > 0 ? [...found].sort(compareAge) : none;
  };

  return {
    get: (service) => answers.get(service) ?? none,
    replace: (before, after) => {
      markTargets(before);
      markTargets(after);
      if (before) remove(before, targetsOf(before));
      if (!after) return;
      const targets = targetsOf(after);
      reindex(byService, after, noTargets.services, targets.services);
      reindex(byNamespace, after, noTargets.namespaces, targets.namespaces);
    },
    mark: (service) => marked.add(service),
    settle: (changed) => {
      for (const service of marked) {
        const before = answers.get(service) ?? none;
        const after = compute(service);
        if (isSameList(before, after)) continue;
        if (after.length > 0) answers.set(service, after);
        else answers.delete(service);
        changed(service);
      }
      marked.clear();
    },
  };
}

interface Targets {
  readonly services: ReadonlySet<Key>;
  readonly namespaces: ReadonlySet<string>;
}

const noTargets: Targets = { services: new Set(), namespaces: new Set() };

function targetsOf({ targetRefs }: TrafficPolicy): Targets {
  return {
    services: new Set(targetRefs.flatMap((ref) => (ref.kind === 'Service' ? [keyOf(ref.namespace, ref.name)] : []))),
    namespaces: new Set(targetRefs.flatMap((ref) => (ref.kind === 'Namespace' ? [ref.name] : []))),
  };
}

function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((element, index) => element === b[index]);
}
