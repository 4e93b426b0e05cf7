/** Stands between what a client asks for and what it is given: each name that it subscribes to is asked leave for first. */
import type { ResourceType } from '../envoy/resource.js';
import type { Client } from './client.js';

/** Who decides, and who is told. */
export interface GuardOptions {
  /** Whether the client may have the resource of this name; `*` stands for all of the type. */
  readonly may: (type: ResourceType, name: string) => boolean;
  /** Told of each name that was denied, once, and of no more than so many as nobody asks for by mistake. */
  readonly onDenied: (type: ResourceType, name: string) => void;
}

/** How many denials of one stream are told. */
const maxTold = 16;

/** The same client, to which names that are denied are as if they had never been asked for: nothing is said about them. */
export function guard(client: Client, { may, onDenied }: GuardOptions): Client {
  const told = new Set<string>();
  const isAllowed = (type: ResourceType, name: string): boolean => {
    if (may(type, name)) return true;
    const denied = `${type} ${name}`;
    if (told.size < maxTold && !told.has(denied)) onDenied(type, name);
    if (told.size < maxTold) told.add(denied);
    return false;
  };
  return {
    ...client,
    subscribe: (type, names, { wildcard, initial = new Map() }) => {
      const allowed = names.filter((name) => isAllowed(type, name));
      const brought = new Map([...initial].filter(([name]) => isAllowed(type, name)));
      client.subscribe(type, allowed, { wildcard: wildcard && isAllowed(type, '*'), initial: brought });
    },
  };
}
