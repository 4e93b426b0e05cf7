/** Who has an IP address: the Service whose cluster IP it is, and the Services that have it as an endpoint and may speak for it. */
import type { AddressOwner } from '../../model/mesh.js';
import { type Key, splitKey } from '../../model/name.js';
import { createIndex } from './index-map.js';
import { keep } from './keep.js';
import { compareText } from './order.js';

/** The owners of every address. Changes are made first and take effect together in `settle`. */
export interface AddressTable {
  readonly get: (address: string) => AddressOwner;
  readonly clusterIPs: (service: Key, before: readonly string[], after: readonly string[]) => void;
  readonly endpoints: (service: Key, before: Iterable<string>, after: Iterable<string>) => void;
  /** The addresses that a Pod has for itself, so none for one of the host network. */
  readonly pod: (pod: Key, before: readonly string[], after: readonly string[]) => void;
  /** All Services that have the address as an endpoint, whether they may speak for it or not. */
  readonly claimants: (address: string) => Iterable<Key>;
  /** To be called where a Service came, went, became headless or ceased to be: that decides its place among the others. */
  readonly mark: (addresses: Iterable<string>) => void;
  /** Calls back for each address that has other owners than before. */
  readonly settle: (changed: (address: string) => void) => void;
}

/** How the table sees a Service: `absent` ones own nothing, whatever slices say. */
export type Standing = 'absent' | 'headless' | 'clusterIP';

const nobody: AddressOwner = { endpointOf: [], isOfPod: false };

/** A table without addresses. */
export function createAddressTable(standing: (service: Key) => Standing): AddressTable {
  const byClusterIP = createIndex<string, Key>();
  const byEndpoint = createIndex<string, Key>();
  const byPod = createIndex<string, Key>();
  const answers = new Map<string, AddressOwner>();
  const marked = new Set<string>();
  const mark = (addresses: Iterable<string>) => {
    for (const address of addresses) marked.add(address);
  };
  const move = (index: typeof byEndpoint) => (owner: Key, before: Iterable<string>, after: Iterable<string>) => {
    const [from, to] = [new Set(before), new Set(after)];
    for (const address of from) if (!to.has(address)) index.delete(address, owner);
    for (const address of to) if (!from.has(address)) index.add(address, owner);
    mark([...from].filter((address) => !to.has(address)));
    mark([...to].filter((address) => !from.has(address)));
  };

  const compute = (address: string): AddressOwner => {
    const service = [...byClusterIP.get(address)].sort(compareText)[0];
    const holders = new Set([...byPod.get(address)].map((pod) => splitKey(pod).namespace));
    const maySpeak = (key: Key) => standing(key) !== 'absent' && (holders.size === 0 || holders.has(splitKey(key).namespace));
    const present = [...byEndpoint.get(address)].filter(maySpeak).sort(compareText);
    const headless = present.filter((key) => standing(key) === 'headless');
    const endpointOf = [...headless, ...present.filter((key) => standing(key) !== 'headless')];
    const isOfPod = holders.size > 0 && endpointOf.length > 0;
    if (service === undefined) return endpointOf.length > 0 ? { endpointOf, isOfPod } : nobody;
    return { service, endpointOf, isOfPod };
  };

  return {
    get: (address) => answers.get(address) ?? nobody,
    clusterIPs: move(byClusterIP),
    endpoints: move(byEndpoint),
    pod: move(byPod),
    claimants: byEndpoint.get,
    mark,
    settle: (changed) => {
      for (const address of marked) {
        const before = answers.get(address) ?? nobody;
        const after = keep(before, compute(address));
        if (after === nobody) answers.delete(address);
        else answers.set(address, after);
        if (after !== before) changed(address);
      }
      marked.clear();
    },
  };
}
