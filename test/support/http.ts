/** Small HTTP servers behind Services, and requests through an explicit proxy. */
import { once } from 'node:events';
import { type Agent, createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { Cleanup } from './envoy.js';
import { portOf } from './port.js';

/** A request as it reached a backend. */
export interface Arrival {
  readonly backend: string;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** A server behind a Service. */
export interface HttpBackend {
  readonly name: string;
  readonly port: number;
  /** What has arrived, in order. */
  readonly arrivals: readonly Arrival[];
  /** Requests that its handler has not answered. */
  readonly held: () => readonly ServerResponse[];
  /** Resolves when so many requests have arrived. */
  readonly arrived: (count: number) => Promise<void>;
}

/** What a backend does with a request. */
export type Handler = (response: ServerResponse, arrival: Arrival, count: number) => void;

/** Answers 200 with what arrived, as JSON. */
export const echo: Handler = (response, arrival) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(arrival));

/** Never answers; the test does, if anybody. */
export const hold: Handler = () => undefined;

/** Answers with this status. */
export const answer =
  (status: number): Handler =>
  (response) =>
    response.writeHead(status).end();

/** Starts a backend on 127.0.0.1 that is gone after the test. */
export async function startHttp(t: Cleanup, name: string, handler: Handler = echo): Promise<HttpBackend> {
  const arrivals: Arrival[] = [];
  const held = new Set<ServerResponse>();
  const server = createServer((incoming: IncomingMessage, response: ServerResponse) => {
    const arrival = { backend: name, method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers };
    arrivals.push(arrival);
    held.add(response);
    response.once('close', () => held.delete(response));
    incoming.resume();
    handler(response, arrival, arrivals.length);
    server.emit('arrived');
  });
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const arrived = async (count: number) => {
    while (arrivals.length < count) await once(server, 'arrived');
  };
  return { name, port: portOf(server), arrivals, held: () => [...held].filter(({ writableEnded }) => !writableEnded), arrived };
}

/** The answer to a request. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What to send; a GET without headers and body unless given. */
export interface Sending {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent in so many chunks, or whole, with its length. */
  readonly body?: Buffer;
  readonly chunks?: number;
  readonly agent?: Agent;
}

/** One request through the explicit proxy on this port of 127.0.0.1; rejects when there is no answer. */
export function ask(proxyPort: number, url: string, { method = 'GET', headers = {}, body, chunks, agent }: Sending = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const length = body && chunks === undefined ? { 'content-length': String(body.length) } : {};
    const all = { host: new URL(url).host, ...length, ...headers };
    const sent = request({ agent: agent ?? false, host: '127.0.0.1', port: proxyPort, method, path: url, headers: all }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts).toString() }));
    });
    sent.once('error', reject);
    const size = Math.ceil((body?.length ?? 0) / (chunks ?? 1));
    for (let at = 0; body && at < body.length; at += size) sent.write(body.subarray(at, at + size));
    sent.end();
  });
}

/** The same so many times, `width` at once, in the order of the answers. */
export async function askMany<T>(count: number, width: number, one: (index: number) => Promise<T>): Promise<readonly T[]> {
  const answers: T[] = [];
  let next = 0;
  const worker = async () => {
    while (next < count) answers.push(await one(next++));
  };
  await Promise.all(Array.from({ length: width }, worker));
  return answers;
}

/** What an echoing backend says it got. */
export function echoed({ status, body }: Reply): Arrival {
  const value: unknown = JSON.parse(body);
  if (status !== 200 || !isArrival(value)) throw new Error(`no echo but ${status} ${body}`);
  return value;
}

function isArrival(value: unknown): value is Arrival {
  return typeof value === 'object' && value !== null && 'backend' in value && 'url' in value && 'headers' in value;
}
