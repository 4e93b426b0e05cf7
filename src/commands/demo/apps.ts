/** The small applications of the demo: each answers with its name, and fails as often as it is told. */
import { createServer, type Server } from 'node:http';

/** How an application behaves. */
export interface AppOptions {
  readonly port: number;
  /** What it answers with, and names in the header `x-app`. */
  readonly name: string;
  /** Every n-th request is answered with 503; 0 for none. */
  readonly failEvery?: number | undefined;
}

/** A running application. */
export interface App {
  /** How many requests have reached it. */
  readonly requests: () => number;
  readonly close: () => Promise<void>;
}

/** Starts an application on 127.0.0.1. Rejects when the port is taken. */
export async function startApp({ port, name, failEvery = 0 }: AppOptions): Promise<App> {
  let requests = 0;
  const server = createServer((_, response) => {
    requests++;
    const fails = failEvery > 0 && requests % failEvery === 0;
    response.writeHead(fails ? 503 : 200, { 'content-type': 'text/plain', 'x-app': name }).end(`${name}\n`);
  });
  server.keepAliveTimeout = 60_000;
  await listen(server, port);
  return {
    requests: () => requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}
