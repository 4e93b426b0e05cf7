/** Ports for tests. */
import type { Server } from 'node:net';
import { freePorts } from '../../src/commands/demo/ports.js';

export { freePorts } from '../../src/commands/demo/ports.js';

/** One free port of 127.0.0.1. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** The port that a server listens on. */
export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port');
  return address.port;
}
