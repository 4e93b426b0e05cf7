/** The declared protocols of the mesh, counted, so that a change of one Service costs its own ports. */
import type { PortTable } from '../../model/mesh.js';
import type { Protocol, Service } from '../../model/service.js';
import { keep } from './keep.js';
import { compareText } from './order.js';

/** The table of ports. Changes are made first and take effect together in `settle`. */
export interface PortCounter {
  readonly get: () => PortTable;
  readonly replace: (before: Service | undefined, after: Service | undefined) => void;
  /** Whether the answer differs now. */
  readonly settle: () => boolean;
}

interface Count {
  /** How many Services declare the port as some kind of HTTP. */
  http: number;
  /** How many Services with this cluster IP declare the port as TCP. */
  readonly tcp: Map<string, number>;
}

/** A table without ports. */
export function createPortCounter(): PortCounter {
  const counts = new Map<number, Count>();
  let answer: PortTable = { httpPorts: [], exceptions: [] };
  let isStale = false;

  const count = (port: number, amount: 1 | -1, service: Service, protocol: Protocol) => {
    const entry = counts.get(port) ?? { http: 0, tcp: new Map<string, number>() };
    counts.set(port, entry);
    if (countPort(entry, amount, service, protocol)) isStale = true;
    if (entry.http === 0 && entry.tcp.size === 0) counts.delete(port);
  };

  return {
    get: () => answer,
    replace: (before, after) => {
      if (after) for (const { port, protocol } of after.ports) count(port, 1, after, protocol);
      if (before) for (const { port, protocol } of before.ports) count(port, -1, before, protocol);
    },
    settle: () => {
      const before = answer;
      if (isStale) answer = keep(before, tableOf(counts));
      isStale = false;
      return answer !== before;
    },
  };
}

/** Counts one port of a Service; whether the table may differ for it. */
function countPort(entry: Count, amount: 1 | -1, service: Service, protocol: Protocol): boolean {
  const wasHttp = entry.http > 0;
  if (protocol !== 'TCP') {
    entry.http += amount;
    return wasHttp !== entry.http > 0;
  }
  const moved = service.clusterIPs.filter((address) => addTo(entry.tcp, address, amount));
  return wasHttp && moved.length > 0;
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
