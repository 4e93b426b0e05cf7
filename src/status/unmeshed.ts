/** The pods that should have a sidecar and have none. Pure. */
import type { Pod } from '../model/workload.js';

/** A pod that is asked to be in the mesh and is not. */
export interface UnmeshedPod {
  /** `namespace/name`. */
  readonly pod: string;
  readonly uid: string;
  /**
   * `UnknownLabel`: the wish is not in words that are understood; `HostNetwork`: it cannot be meshed; `CreatedBeforeLabel`: it is older
   * than the wish; `InjectorUnavailable`: it is younger; `NotInjected`: one of the latter two.
   */
  readonly reason: 'UnknownLabel' | 'HostNetwork' | 'CreatedBeforeLabel' | 'InjectorUnavailable' | 'NotInjected';
  /** Why, and what to do: sentences without the last full stop. */
  readonly message: string;
}

/** What is looked at. */
export interface Inhabitants {
  readonly pods: Iterable<Pod>;
  readonly namespaces: Iterable<{ readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly injectSince: string }>;
  /** The namespaces whose pods are never meshed: those of Kubernetes, and Weft's own. */
  readonly excluded: ReadonlySet<string>;
}

/** The label of namespaces and pods that asks for a sidecar. */
const label = 'weft.dev/inject';

/** Whoever opts out is not reported, and neither is a pod that has no address (yet, or any more). Sorted by pod. */
export function unmeshedPods({ pods, namespaces, excluded }: Inhabitants): readonly UnmeshedPod[] {
  const wishes = new Map([...namespaces].map(({ name, labels, injectSince }) => [name, { word: labels[label], since: injectSince }]));
  const found: UnmeshedPod[] = [];
  for (const pod of pods) {
    if (pod.proxy === 'Injected' || pod.addresses.length === 0 || excluded.has(pod.namespace)) continue;
    const own = pod.labels[label];
    const wish = wishes.get(pod.namespace);
    const word = own ?? wish?.word;
    if (word === undefined || word === 'false') continue;
    const reason = word === 'true' ? reasonOf(pod, own === undefined ? (wish?.since ?? '') : '') : 'UnknownLabel';
    found.push({ pod: pod.key, uid: pod.uid, reason, message: messages[reason] });
  }
  return found.sort((a, b) => (a.pod < b.pod ? -1 : 1));
}

function reasonOf({ hostNetwork, created }: Pod, since: string): UnmeshedPod['reason'] {
  if (hostNetwork) return 'HostNetwork';
  const [createdAt, wantedAt] = [Date.parse(created), Date.parse(since)];
  if (Number.isNaN(createdAt) || Number.isNaN(wantedAt)) return 'NotInjected';
  return createdAt < wantedAt ? 'CreatedBeforeLabel' : 'InjectorUnavailable';
}

const restart = 'restart it, for instance with kubectl rollout restart of its Deployment';

const messages: Readonly<Record<UnmeshedPod['reason'], string>> = {
  UnknownLabel: `its label ${label}, or that of its namespace, is neither "true" nor "false"; write one of the two, then ${restart}`,
  HostNetwork: `it uses the network of its node (hostNetwork), whose traffic cannot be redirected; label it ${label}: "false", or give it a network of its own`,
  CreatedBeforeLabel: `it was created before its namespace was labelled ${label}: "true"; ${restart}`,
  InjectorUnavailable: `it was created without asking weft-injector, which was away or whose webhook was not there; see that weft-injector is ready, then ${restart}`,
  NotInjected: `it was created before the label ${label}: "true" was set, or while weft-injector was away; ${restart}`,
};
