/** HTTPS for those who call Weft: the API server's webhooks, other replicas. Whatever a caller sends is bounded, and none of it ends the process. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type ConnectionLimits, shareConnections } from '../connections/fair-share.js';
import { type BodyProblem, readBody } from './body.js';
import { createUnderWay, type Ticket } from './under-way.js';

/** A certificate with its chain and its key, as PEM texts. */
export interface ServingCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** The certificate that is shown now, and word of each later one. */
export interface CertificateSource {
  readonly current: () => ServingCertificate;
  readonly onChange: (listener: () => void) => unknown;
}

/** A request whose body has come in full. */
export interface HttpsRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** The address of the caller. */
  readonly peer: string;
  readonly body: Buffer;
}

/** An answer: a text as it stands, anything else as JSON. */
export interface HttpsAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** What happens at a path. A rejection is answered with 500 and reported. */
export type HttpsRoute = (request: HttpsRequest) => Promise<HttpsAnswer>;

/** How much is taken. */
export interface HttpsLimits extends ConnectionLimits {
  /** Bytes of a body; more is answered with 413. 3 MiB unless given: an AdmissionReview of the largest object that etcd takes, old and new. */
  readonly bodyBytes: number;
  /**
   * Bytes of all requests that are being read or answered, and of those of one address; one that finds no room is answered with 503.
   * 48 MiB and half of that unless given: a thousand pods at once, from one API server.
   */
  readonly underWayBytes: number;
  readonly underWayBytesPerPeer: number;
  /** Milliseconds in which a handshake, and the body of a request, must have come in full. 10 s unless given. */
  readonly requestMs: number;
  /** Milliseconds that a connection may rest, before its first request too. 2 minutes unless given: a Go client closes it after 90 s, and must be the first to. */
  readonly idleMs: number;
}

/** What a server is made from. */
export interface HttpsOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly certificate: CertificateSource;
  /** By path, without query. */
  readonly routes: Readonly<Record<string, HttpsRoute>>;
  readonly limits?: Partial<HttpsLimits> | undefined;
  /** Told what a route rejected with. */
  readonly onDefect: (path: string, error: unknown) => void;
}

/** A listening server. */
export interface HttpsServer {
  readonly port: number;
  /** From now on each answer asks its caller to connect anew, so that callers leave before {@link close}. */
  readonly drain: () => void;
  /** Takes no more connections; resolves when the requests that are under way are answered, or after `graceMs`. */
  readonly close: (graceMs?: number) => Promise<void>;
}

const mebibyte = 1024 * 1024;

/** An API server has a connection for each of its calls, and six hundred of these at once by default. */
const defaults: HttpsLimits = {
  ...{ bodyBytes: 3 * mebibyte, underWayBytes: 48 * mebibyte, underWayBytesPerPeer: 24 * mebibyte },
  ...{ connections: 1_500, connectionsPerPeer: 700, requestMs: 10_000, idleMs: 120_000 },
};
const headerBytes = 16 * 1024;
/** What a request occupies besides its body. */
const requestBytes = 4 * 1024;

/** Listens with TLS 1.3, which every API server of today speaks. A new certificate holds for new connections. Rejects when the address cannot be had. */
export async function startHttps(options: HttpsOptions): Promise<HttpsServer> {
  const limits = { ...defaults, ...options.limits };
  const context = () => {
    const { certificate, key } = options.certificate.current();
    return { cert: certificate, key, minVersion: 'TLSv1.3' as const };
  };
  const { requestMs, idleMs } = limits;
  const server = createServer({
    ...context(),
    ...{ maxHeaderSize: headerBytes, handshakeTimeout: requestMs, keepAliveTimeout: idleMs },
    // A Go client keeps connections in store that it has not used yet, and takes it for a failure when such a one is closed; to Node they are late requests.
    ...{ headersTimeout: idleMs, requestTimeout: idleMs, connectionsCheckingInterval: Math.min(idleMs, 1_000) },
  });
  bound(server, limits);
  options.certificate.onChange(() => server.setSecureContext(context()));
  const underWay = createUnderWay({ bytes: limits.underWayBytes, bytesPerPeer: limits.underWayBytesPerPeer });
  let draining = false;
  server.on('request', (request, response) => {
    if (draining) response.setHeader('connection', 'close');
    const ticket = underWay.enter(request.socket.remoteAddress ?? '');
    void answer({ ...options, limits, ticket }, request, response)
      .catch(() => response.destroy())
      .finally(ticket.leave);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const drain = () => {
    draining = true;
  };
  return {
    port: portOf(server.address()),
    drain,
    close: (graceMs = 10_000) => {
      drain();
      return closed(server, graceMs);
    },
  };
}

function bound(server: Server, limits: HttpsLimits): void {
  shareConnections(server, limits);
  // A client that fails its handshake or speaks no HTTP is answered by Node and let go; without a listener for errors of its socket that could end the process.
  server.on('clientError', (_, socket) => socket.destroy());
  server.on('tlsClientError', (_, socket) => socket.destroy());
}

interface Answering extends Pick<HttpsOptions, 'routes' | 'onDefect'> {
  readonly limits: HttpsLimits;
  readonly ticket: Ticket;
}

async function answer({ routes, onDefect, limits, ticket }: Answering, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '').split('?')[0] ?? '';
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (!route) return end(response, { status: 404, body: `There is nothing at ${path}; there is ${Object.keys(routes).join(' and ')}\n` }, true);
  const bounds = { most: limits.bodyBytes, ms: limits.requestMs, grow: ticket.grow };
  const body = ticket.grow(requestBytes) ? await readBody(request, bounds) : 'crowded';
  if (typeof body === 'string') return end(response, problemOf(body, limits), true);
  const given = { method: request.method ?? '', headers: request.headers, peer: request.socket.remoteAddress ?? '', body };
  const reply = await route(given).catch((error: unknown): HttpsAnswer => {
    onDefect(path, error);
    return { status: 500, body: 'This request met a defect of Weft; its log has the details\n' };
  });
  end(response, reply, false);
}

function problemOf(problem: BodyProblem, { requestMs, bodyBytes }: HttpsLimits): HttpsAnswer {
  if (problem === 'late') return { status: 408, body: `The request must be complete within ${requestMs} ms\n` };
  if (problem === 'large') return { status: 413, body: `At most ${bodyBytes} bytes are taken\n` };
  return { status: 503, body: 'Too much is being read at the moment; try again\n' };
}

/** Where not all of the request has been read, the connection cannot serve a further one. */
function end(response: ServerResponse, { status, body }: HttpsAnswer, isLast: boolean): void {
  const isText = typeof body === 'string';
  const text = isText ? body : JSON.stringify(body);
  if (isLast) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
}

function closed(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address ? address.port : 0;
}
