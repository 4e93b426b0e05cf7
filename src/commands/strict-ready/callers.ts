/** Who is at an address. Pure. */
import type { Pod } from '../../model/workload.js';
import { canonicalAddress } from '../../sources/objects/address.js';
import type { NodeAddresses, World } from './world.js';

/** Whoever has an address. */
export type Caller =
  | { readonly kind: 'Pod'; readonly name: string; readonly serviceAccount: string; readonly isMeshed: boolean }
  /** Its kubelet, a Pod of the host network, or somebody outside whose calls come by way of it. */
  | { readonly kind: 'Node'; readonly name: string }
  /** A Pod that is gone, or a host outside. */
  | { readonly kind: 'Unknown' };

/** Finds who was at an address at a time, in seconds since 1970; where that is not known, who is there now. */
export type FindCaller = (address: string, seen: number | undefined) => Caller;

/** How much the clocks of Nodes and of the API server may differ, in seconds. */
const skew = 5;

/** Looks among Pods and Nodes. A Pod that is younger than the sighting has got the address of another. */
export function createFindCaller({ pods, nodes }: Pick<World, 'pods' | 'nodes'>): FindCaller {
  const byAddress = new Map(pods.filter(({ hostNetwork }) => !hostNetwork).flatMap((pod) => pod.addresses.map((address) => [address, pod] as const)));
  return (address, seen) => {
    const pod = byAddress.get(address);
    if (pod && isThere(pod, seen)) return { kind: 'Pod', name: pod.key, serviceAccount: pod.serviceAccount, isMeshed: pod.proxy === 'Injected' };
    const node = pod ? undefined : nodes.find((one) => one.addresses.includes(address) || isBridge(one, address));
    return node ? { kind: 'Node', name: node.name } : { kind: 'Unknown' };
  };
}

function isThere({ created }: Pod, seen: number | undefined): boolean {
  const since = Date.parse(created) / 1000;
  return seen === undefined || Number.isNaN(since) || since <= seen + skew;
}

/** The first address of a Node's range is, with most networks, that of the Node itself towards its Pods. */
function isBridge({ podCIDRs }: NodeAddresses, address: string): boolean {
  return podCIDRs.some((range) => canonicalAddress(firstOf(range.split('/')[0] ?? '')) === address);
}

/** `10.244.1.1` after `10.244.1.0`, `fd00:1::1` after `fd00:1::`. */
function firstOf(network: string): string {
  return network.includes(':') ? network.replace(/(::)?0?$/, '::1') : network.replace(/\d+$/, (last) => String(Number(last) + 1));
}
