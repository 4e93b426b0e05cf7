/** The streams that are open, for status, CSDS and the watch over time limits. */
import type { Node } from '../envoy/types.js';
import type { Client } from './client.js';

/** What a stream has cost and done. */
export interface StreamCounters {
  requests: number;
  responses: number;
  bytes: number;
  rejections: number;
}

/** The sums over all streams, those that have ended too: numbers that only grow. */
export interface StreamTotals extends Readonly<StreamCounters> {
  /** Streams begun. */
  readonly opened: number;
}

/** An open ADS stream whose client has said who it is. */
export interface Connection {
  readonly node: Node;
  readonly variant: 'delta' | 'sotw';
  readonly peer: string;
  /** RFC 3339. */
  readonly since: string;
  readonly client: Client;
  readonly counters: StreamCounters;
}

/** All open ADS streams. */
export interface Registry {
  readonly connections: () => Iterable<Connection>;
  readonly size: () => number;
  readonly add: (connection: Connection) => void;
  readonly remove: (connection: Connection) => void;
  readonly totals: () => StreamTotals;
}

/** None yet. */
export function createRegistry(): Registry {
  const open = new Set<Connection>();
  let opened = 0;
  let ended: Readonly<StreamCounters> = { requests: 0, responses: 0, bytes: 0, rejections: 0 };
  return {
    connections: () => open,
    size: () => open.size,
    add: (connection) => {
      opened++;
      open.add(connection);
    },
    remove: (connection) => {
      if (open.delete(connection)) ended = sum(ended, connection.counters);
    },
    totals: () => ({ ...[...open].reduce((total, { counters }) => sum(total, counters), ended), opened }),
  };
}

function sum(a: Readonly<StreamCounters>, b: Readonly<StreamCounters>): Readonly<StreamCounters> {
  return { requests: a.requests + b.requests, responses: a.responses + b.responses, bytes: a.bytes + b.bytes, rejections: a.rejections + b.rejections };
}
