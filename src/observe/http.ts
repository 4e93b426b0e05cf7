/** What the ports of this folder have in common: they listen, answer with a text, and end at once. */
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A listening port. */
export interface ListeningPort {
  readonly port: number;
  /** Ends it, and all its connections. */
  readonly close: () => Promise<void>;
}

/** Listens on `host:port`; port 0 takes a free one. Rejects when the address cannot be had. */
export async function listenOn(server: Server, host: string, port: number): Promise<ListeningPort> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port: portOf(server.address()),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address ? address.port : 0;
}

/** Answers with this body, of this type. */
export function end(response: ServerResponse, code: number, type: string, body: string): void {
  response.writeHead(code, { 'content-type': type, 'x-content-type-options': 'nosniff' }).end(body);
}
