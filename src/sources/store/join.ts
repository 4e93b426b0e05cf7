/** Joins the EndpointSlices of one Service with its Pods and their Nodes. Pure. */
import type { Key } from '../../model/name.js';
import type { Endpoint } from '../../model/service.js';
import type { Pod } from '../../model/workload.js';
import type { EndpointSlice, SliceEndpoint } from '../objects/endpoint-slice.js';
import { compareText } from './order.js';

/** What the join looks up. */
export interface Surroundings {
  readonly pod: (key: Key) => Pod | undefined;
  readonly zone: (node: string) => string;
  /**
   * Whether every Pod is known sooner or later, with its addresses, as in a cluster. An endpoint whose Pod is not known to have its
   * address (yet, or any more) is left out there: nobody can say whether it takes mutual TLS. In a folder the slice is taken at its word.
   */
  readonly followsPods?: boolean | undefined;
}

const noLabels: Readonly<Record<string, string>> = {};

/**
 * The endpoints of one Service, sorted by address. A Pod's address that is in several slices (as while the slices are
 * rearranged) is listed once: the readiest entry counts, of equals the one in the slice that sorts first, and ports only others
 * have are added. One address with different Pods, or with different ports and no Pod, is several endpoints: processes of one machine.
 */
export function joinEndpoints(slices: Iterable<EndpointSlice>, surroundings: Surroundings): readonly Endpoint[] {
  const groups = new Map<string, SliceEndpoint[]>();
  const inOrder = [...slices].sort((a, b) => compareText(a.key, b.key));
  for (const endpoint of inOrder.flatMap((slice) => slice.endpoints)) {
    const id = identity(endpoint);
    const same = groups.get(id);
    if (same) same.push(endpoint);
    else groups.set(id, [endpoint]);
  }
  const sorted = [...groups].sort(([a], [b]) => compareText(a, b));
  return sorted.flatMap(([, entries]) => merge(entries, surroundings));
}

/** What makes an endpoint the same one in all slices and at all times. */
export function identity({ address, pod, ports }: Pick<Endpoint, 'address' | 'pod' | 'ports'>): string {
  const numbers = [...ports].map(([name, port]) => `${name}=${port}`).sort();
  return `${address} ${pod ?? numbers.join(',')}`;
}

/** Every Pod and Node that the join looked up, or will look up once there is more to see. */
export function joinInputs(slices: Iterable<EndpointSlice>, { pod }: Surroundings): { readonly pods: ReadonlySet<Key>; readonly nodes: ReadonlySet<string> } {
  const pods = new Set<Key>();
  const nodes = new Set<string>();
  for (const endpoint of [...slices].flatMap((slice) => slice.endpoints)) {
    if (endpoint.pod !== undefined) pods.add(endpoint.pod);
    if (endpoint.zone === '') nodes.add(nodeOf(endpoint, endpoint.pod && pod(endpoint.pod)));
  }
  nodes.delete('');
  return { pods, nodes };
}

function merge(entries: readonly SliceEndpoint[], { pod: podOf, zone, followsPods }: Surroundings): readonly Endpoint[] {
  const ranked = [...entries].sort((a, b) => rank(a) - rank(b));
  const best = ranked[0];
  if (!best) return [];
  const { address, ready, serving, terminating } = best;
  const pod = best.pod && podOf(best.pod);
  if (followsPods && best.pod !== undefined && !pod?.addresses.includes(address)) return [];
  const shared = {
    address,
    ports: mergePorts(ranked),
    ready,
    serving,
    terminating,
    zone: best.zone || zone(nodeOf(best, pod)),
    labels: pod?.labels ?? noLabels,
    proxy: pod?.proxy ?? 'None',
    serviceAccount: pod?.serviceAccount ?? '',
  };
  return [best.pod === undefined ? shared : { ...shared, pod: best.pod }];
}

function rank({ ready, serving, terminating }: SliceEndpoint): number {
  return (ready ? 0 : 4) + (serving ? 0 : 2) + (terminating ? 1 : 0);
}

function mergePorts(ranked: readonly SliceEndpoint[]): ReadonlyMap<string, number> {
  const [first, ...others] = ranked;
  if (first && others.every(({ ports }) => ports === first.ports)) return first.ports;
  return new Map([...ranked].reverse().flatMap(({ ports }) => [...ports]));
}

function nodeOf(endpoint: SliceEndpoint, pod: Pod | undefined): string {
  return endpoint.node || pod?.node || '';
}
