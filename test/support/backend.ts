/** An application that ends as Kubernetes wants it to: it serves until nobody is connected any more. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { portOf } from './port.js';

/** A running application. */
export interface RunningBackend {
  readonly port: number;
  readonly requests: () => number;
  /** Resolves once no connection is left and the process, as it were, has ended. Its callers have to close theirs. */
  readonly leave: () => Promise<void>;
  /** Ends it at once. */
  readonly close: () => Promise<void>;
}

/** Starts one on 127.0.0.1. It answers after `delayMs` with its name in `x-app`, and the request's `x-revision` in the same header. */
export async function startBackend(name: string, delayMs = 0): Promise<RunningBackend> {
  let requests = 0;
  let connections = 0;
  const server = createServer((request, response) => {
    requests++;
    const answer = () => response.writeHead(200, { 'x-app': name, 'x-revision': request.headers['x-revision'] ?? '' }).end(`${name}\n`);
    if (delayMs > 0) setTimeout(answer, delayMs);
    else answer();
  });
  server.keepAliveTimeout = 0;
  server.on('connection', (socket) => {
    connections++;
    socket.once('close', () => {
      connections--;
      server.emit('left');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const ended = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return {
    port: portOf(server),
    requests: () => requests,
    leave: async () => {
      while (connections > 0) await once(server, 'left');
      await ended();
    },
    close: () => {
      const end = ended();
      server.closeAllConnections();
      return end;
    },
  };
}
