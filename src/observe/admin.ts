/** The admin port: health, readiness and status as JSON, over plain HTTP. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { end, type ListeningPort, listenOn } from './http.js';

/** What the admin port shows. Each is asked when a request comes. */
export interface AdminPages {
  /** Whether the first state of the world is known, so that proxies are served. */
  readonly isReady: () => boolean;
  /** Any value that JSON can hold. */
  readonly status: () => unknown;
  /** The ports of all Services, or of those in one namespace; the same kind of value. */
  readonly ports: (namespace: string | undefined) => unknown;
}

/** Listens on `host:port`; port 0 takes a free one. Rejects when the address cannot be had. */
export function startAdmin(host: string, port: number, pages: AdminPages): Promise<ListeningPort> {
  const server = createServer((request, response) => answer(pages, request, response));
  server.requestTimeout = 10_000;
  return listenOn(server, host, port);
}

function answer(pages: AdminPages, request: IncomingMessage, response: ServerResponse): void {
  const [path, query] = (request.url ?? '').split('?');
  if (request.method !== 'GET') return end(response, 405, 'text/plain', 'Only GET is answered here\n');
  if (path === '/healthz') return end(response, 200, 'text/plain', 'ok\n');
  if (path === '/readyz')
    return pages.isReady() ? end(response, 200, 'text/plain', 'ok\n') : end(response, 503, 'text/plain', 'waiting for the first state of the world\n');
  if (path === '/status') return end(response, 200, 'application/json', `${JSON.stringify(pages.status())}\n`);
  if (path === '/ports') {
    const namespace = new URLSearchParams(query).get('namespace') ?? undefined;
    return end(response, 200, 'application/json', `${JSON.stringify(pages.ports(namespace))}\n`);
  }
  return end(response, 404, 'text/plain', 'There are /healthz, /readyz, /status and /ports\n');
}
