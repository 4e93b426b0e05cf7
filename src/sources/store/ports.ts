/** The declared protocols of the mesh, counted, so that a change of one Service costs its own ports and endpoints. */
import type { PortTable } from '../../model/mesh.js';
import type { Key } from '../../model/name.js';
import type { Endpoint, Service, ServicePort } from '../../model/service.js';
import { keep } from './keep.js';
import { compareText } from './order.js';
import { setOrDelete } from './set-or-delete.js';

/** The table of ports. Changes are marked first and take effect together in `settle`. */
export interface PortCounter {
  readonly get: () => PortTable;
  /** To be called where a Service, or the endpoints of a headless one, have changed. */
  readonly mark: (service: Key) => void;
  /** Whether the answer differs now. */
  readonly settle: () => boolean;
}

/** What the counter looks up. */
export interface PortSources {
  readonly service: (key: Key) => Service | undefined;
  readonly endpoints: (key: Key) => readonly Endpoint[];
}

/** A number that is called as some kind of HTTP, or, with an address, one that is called as TCP there. */
interface Claim {
  readonly port: number;
  readonly address?: string;
}

interface Count {
  /** How many claims to HTTP there are. */
  http: number;
  /** How many claims to TCP there are for an address. */
  readonly tcp: Map<string, number>;
}

const none: readonly Claim[] = [];

/** A table without ports. */
export function createPortCounter(sources: PortSources): PortCounter {
  const counts = new Map<number, Count>();
  const claims = new Map<Key, readonly Claim[]>();
  const marked = new Set<Key>();
  let answer: PortTable = { httpPorts: [], exceptions: [] };

  const count = (claim: Claim, amount: 1 | -1): boolean => {
    const entry = counts.get(claim.port) ?? { http: 0, tcp: new Map<string, number>() };
    counts.set(claim.port, entry);
    const mayDiffer = countClaim(entry, claim, amount);
    if (entry.http === 0 && entry.tcp.size === 0) counts.delete(claim.port);
    return mayDiffer;
  };

  const recount = (key: Key): boolean => {
    const before = claims.get(key) ?? none;
    const after = claimsOf(sources, key);
    setOrDelete(claims, key, after.length > 0 ? after : undefined);
    const differs = [...after.map((claim) => count(claim, 1)), ...before.map((claim) => count(claim, -1))];
    return differs.includes(true);
  };

  return {
    get: () => answer,
    mark: (service) => void marked.add(service),
    settle: () => {
      const before = answer;
      const isStale = [...marked].map(recount).includes(true);
      marked.clear();
      if (isStale) answer = keep(before, tableOf(counts));
      return answer !== before;
    },
  };
}

function claimsOf({ service, endpoints }: PortSources, key: Key): readonly Claim[] {
  const found = service(key);
  if (!found) return none;
  return found.ports.flatMap((port) => (found.clusterIPs.length > 0 ? atClusterIPs(found, port) : atEndpoints(endpoints(key), port)));
}

function atClusterIPs({ clusterIPs }: Service, { port, protocol }: ServicePort): readonly Claim[] {
  return protocol === 'TCP' ? clusterIPs.map((address) => ({ port, address })) : [{ port }];
}

/**
 * A headless Service is called at its endpoints' addresses and numbers. The number of its own HTTP port, mostly the same, counts
 * too: it keeps the listener as it is while the last endpoint goes and the next one comes.
 */
function atEndpoints(endpoints: readonly Endpoint[], { name, port, protocol }: ServicePort): readonly Claim[] {
  const called = endpoints.flatMap(({ address, ports }): readonly Required<Claim>[] => {
    const number = ports.get(name);
    return number === undefined ? [] : [{ port: number, address }];
  });
  return protocol === 'TCP' ? called : [...new Set([port, ...called.map((each) => each.port)])].map((each) => ({ port: each }));
}

/** Counts a claim; whether the table may differ for it. */
function countClaim(entry: Count, { address }: Claim, amount: 1 | -1): boolean {
  const wasHttp = entry.http > 0;
  if (address !== undefined) return addTo(entry.tcp, address, amount) && wasHttp;
  entry.http += amount;
  return wasHttp !== entry.http > 0;
}

/** Adds to the count of an address; whether the address came or went. */
function addTo(counts: Map<string, number>, address: string, amount: 1 | -1): boolean {
  const before = counts.get(address) ?? 0;
  const after = before + amount;
  if (after === 0) counts.delete(address);
  else counts.set(address, after);
  return before === 0 || after === 0;
}

function tableOf(counts: ReadonlyMap<number, Count>): PortTable {
  const http = [...counts].filter(([, count]) => count.http > 0).sort(([a], [b]) => a - b);
  const exceptions = http.flatMap(([port, { tcp }]) => [...tcp.keys()].map((address) => ({ address, port, protocol: 'TCP' as const })));
  return { httpPorts: http.map(([port]) => port), exceptions: exceptions.sort((a, b) => compareText(a.address, b.address) || a.port - b.port) };
}
