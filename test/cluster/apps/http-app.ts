/** An HTTP server: it tells what it saw, or calls others. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { fetchText } from './call.js';
import { toldToEnd } from './ending.js';

/** What the server saw of a request; it is also its answer. */
export interface Seen {
  /** The pod that answers. */
  readonly pod: string;
  /** Its `VERSION`. */
  readonly version: string;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  /** The address that the connection came from. */
  readonly peer: string;
  readonly bodyLength: number;
  /** What the mesh says of the caller: `x-forwarded-client-cert`. */
  readonly identities: string;
}

const pod = process.env['HOSTNAME'] ?? '';
const version = process.env['VERSION'] ?? '';

/** As that of common servers. Node's own is five seconds, and whoever sends a request in the moment in which a connection is closed loses it, meshed or not. */
const keepAliveTimeout = 75_000;

/**
 * `/call?url=URL` calls the URL and answers with its answer; anything else is answered with a {@link Seen}, `?delay=MS` later.
 * A request's `x-revision` is in the answer's headers too; a path that begins with `/log` is logged. When it is told to end it
 * finishes what it has begun, and then calls the URL in `LAST_CALL`, if there is one.
 */
export async function serveHttp(port: number): Promise<void> {
  const server = createServer({ keepAliveTimeout }, (request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(502).end(String(error)));
  });
  server.listen(port, '::');
  await once(server, 'listening');
  await toldToEnd();
  server.close();
  await once(server, 'close');
  const url = process.env['LAST_CALL'];
  if (url) await fetchText({ url });
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  const { url = '/', method = '', headers } = request;
  const query = new URL(url, 'http://here').searchParams;
  const target = query.get('url');
  if (url.startsWith('/log')) process.stdout.write(`${url}\n`);
  await pause(Number(query.get('delay') ?? 0));
  const common = { 'x-version': version, 'x-revision': headers['x-revision'] ?? '', 'content-type': 'application/json' };
  if (target) {
    const { status, body: answered } = await fetchText({ url: target });
    response.writeHead(status, common).end(answered);
    return;
  }
  const peer = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  const identities = String(headers['x-forwarded-client-cert'] ?? '');
  const seen: Seen = { pod, version, method, path: url, host: headers.host ?? '', peer, bodyLength: body.length, identities };
  response.writeHead(200, common).end(JSON.stringify(seen));
}
