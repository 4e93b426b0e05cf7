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
}

/** None yet. */
export function createRegistry(): Registry {
  const open = new Set<Connection>();
  return {
    connections: () => open,
    size: () => open.size,
    add: (connection) => void open.add(connection),
    remove: (connection) => void open.delete(connection),
  };
}
