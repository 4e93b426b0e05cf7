/** The declared protocols of the mesh, counted, so that a change of one Service costs its own ports and endpoints. */
import type { AddressOwner, PortException, PortTable } from '../../model/mesh.js';
import type { Key } from '../../model/name.js';
import type { Endpoint, Service, ServicePort } from '../../model/service.js';
import { keep } from './keep.js';
import { compareText } from './order.js';
import { setOrDelete } from './set-or-delete.js';

/** The table of ports. Changes are marked first and take effect together in `settle`. */
export interface PortCounter {
  readonly get: () => PortTable;
  /** To be called where a Service, the endpoints of a headless one, or who else has their addresses, have changed. */
  readonly mark: (service: Key) => void;
  /** Whether the answer differs now. */
  readonly settle: () => boolean;
}

/** What the counter looks up. */
export interface PortSources {
  readonly service: (key: Key) => Service | undefined;
  readonly endpoints: (key: Key) => readonly Endpoint[];
  readonly owner: (address: string) => AddressOwner;
}

/** A number that is called as some kind of HTTP, or, with an address, one that is called as TCP there. */
interface Claim {
  readonly port: number;
  readonly at?: Place;
}

/** An address, or what it is for the callers of one namespace. */
type Place = Pick<PortException, 'address' | 'namespace'>;

interface Count {
  /** How many claims to HTTP there are. */
  http: number;
  /** How many claims to TCP there are for a place, by its text. */
  readonly tcp: Map<string, { readonly at: Place; readonly claims: number }>;
}

const none: readonly Claim[] = [];

/** A table without ports. */
export function createPortCounter(sources: PortSources): PortCounter {
  const counts = new Map<number, Count>();
  const claims = new Map<Key, readonly Claim[]>();
  const marked = new Set<Key>();
  let answer: PortTable = { httpPorts: [], exceptions: [] };

  const count = (claim: Claim, amount: 1 | -1): boolean => {
    const entry: Count = counts.get(claim.port) ?? { http: 0, tcp: new Map() };
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

function claimsOf(sources: PortSources, key: Key): readonly Claim[] {
  const found = sources.service(key);
  if (!found) return none;
  return found.ports.flatMap((port) => (found.clusterIPs.length > 0 ? atClusterIPs(found, port) : atEndpoints(found, port, sources)));
}

function atClusterIPs({ clusterIPs }: Service, { port, protocol }: ServicePort): readonly Claim[] {
  return protocol === 'TCP' ? clusterIPs.map((address) => ({ port, at: { address } })) : [{ port }];
}

/**
 * A headless Service is called at its endpoints' addresses and numbers. The number of its own HTTP port, mostly the same, counts
 * too: it keeps the listener as it is while the last endpoint goes and the next one comes.
 */
function atEndpoints(service: Service, { name, port, protocol }: ServicePort, { endpoints, owner }: PortSources): readonly Claim[] {
  const all = endpoints(service.key);
  if (protocol !== 'TCP') return [...new Set([port, ...all.flatMap(({ ports }) => ports.get(name) ?? [])])].map((each) => ({ port: each }));
  return all.flatMap(({ address, ports }): readonly Claim[] => {
    const number = ports.get(name);
    const at = placeOf(service, address, owner(address));
    return number === undefined || !at ? [] : [{ port: number, at }];
  });
}

/** Where what a Service says of an address counts; undefined where it has no say. */
function placeOf({ key, namespace }: Service, address: string, { service, endpointOf, isOfPod }: AddressOwner): Place | undefined {
  if (service !== undefined || !endpointOf.includes(key)) return undefined;
  return isOfPod ? { address } : { address, namespace };
}

/** Counts a claim; whether the table may differ for it. */
function countClaim(entry: Count, { at }: Claim, amount: 1 | -1): boolean {
  const wasHttp = entry.http > 0;
  if (at) return addTo(entry.tcp, at, amount) && wasHttp;
  entry.http += amount;
  return wasHttp !== entry.http > 0;
}

/** Adds to the count of a place; whether the place came or went. */
function addTo(counts: Count['tcp'], at: Place, amount: 1 | -1): boolean {
  const text = `${at.address} ${at.namespace ?? ''}`;
  const before = counts.get(text)?.claims ?? 0;
  const after = before + amount;
  if (after === 0) counts.delete(text);
  else counts.set(text, { at, claims: after });
  return before === 0 || after === 0;
}

function tableOf(counts: ReadonlyMap<number, Count>): PortTable {
  const http = [...counts].filter(([, count]) => count.http > 0).sort(([a], [b]) => a - b);
  const exceptions = http.flatMap(([port, { tcp }]) => [...tcp.values()].map(({ at }): PortException => ({ ...at, port, protocol: 'TCP' })));
  return { httpPorts: http.map(([port]) => port), exceptions: exceptions.sort(compareExceptions) };
}

function compareExceptions(a: PortException, b: PortException): number {
  return compareText(a.address, b.address) || a.port - b.port || compareText(a.namespace ?? '', b.namespace ?? '');
}
