/** What a process inside a network namespace can be asked to do: be an application, or call one. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import { connect, createServer as createTcpServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import * as grpc from '@grpc/grpc-js';
import { WebSocket, WebSocketServer } from 'ws';
import { close, exchange, open, untilClosed } from './connections.js';
import { serveUdp, udp } from './datagrams.js';
import { moreLoad, startLoad, stopLoad } from './load.js';
import { plainAddress } from './plain-address.js';
import { callTls, serveTls } from './tls-actions.js';

/** What an application saw of a request; it is also its answer. */
export interface Seen {
  readonly app: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyLength: number;
  /** The address that the request came from. */
  readonly peer: string;
}

/** An application to start in the namespace, on all its addresses. */
export interface AppOptions {
  readonly name: string;
  readonly port: number;
}

/** One request. */
export interface HttpCall {
  readonly address: string;
  readonly port: number;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A POST with a body of this length; `chunked` leaves the length unsaid. */
  readonly bodyLength?: number;
  readonly chunked?: boolean;
}

/** Its answer. */
export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const patience = 15_000;

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '::');
  await once(server, 'listening');
}

function flat(headers: IncomingMessage['headers']): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

/** An HTTP application that answers with what it saw, and echoes over WebSocket. */
async function serveHttp({ name, port }: AppOptions): Promise<void> {
  const server = createServer(async (message, response) => {
    const body = await text(message);
    const { method = '', url: path = '', headers } = message;
    const seen: Seen = { app: name, method, path, headers: flat(headers), bodyLength: body.length, peer: plainAddress(message.socket.remoteAddress) };
    const answer = JSON.stringify(seen);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) }).end(answer);
  });
  // Node ends idle connections after five seconds; a request that Envoy sends at that moment would fail, with or without a mesh.
  server.keepAliveTimeout = 0;
  new WebSocketServer({ server }).on('connection', (socket) => socket.on('message', (data) => socket.send(`${name} heard ${data}`)));
  await listen(server, port);
}

/** A TCP application that speaks first, and then echoes. */
async function serveBanner({ name, port }: AppOptions): Promise<void> {
  await listen(
    createTcpServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.write(`${name} greets ${plainAddress(socket.remoteAddress)}\n`);
      socket.pipe(socket);
    }),
    port,
  );
}

const asIs = (bytes: Buffer) => bytes;
const echo = {
  path: '/echo.Echo/Say',
  requestStream: false,
  responseStream: false,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
};

/** A gRPC application that echoes. */
async function serveGrpc({ name, port }: AppOptions): Promise<void> {
  const server = new grpc.Server();
  const say: grpc.handleUnaryCall<Buffer, Buffer> = (call, callback) => callback(null, Buffer.from(`${name} heard ${call.request}`));
  server.addService({ Say: echo }, { Say: say });
  await new Promise((resolve, reject) => {
    server.bindAsync(`0.0.0.0:${port}`, grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
}

async function http({ address, port, path = '/', headers = {}, bodyLength, chunked = false }: HttpCall): Promise<HttpReply> {
  const length = bodyLength === undefined || chunked ? {} : { 'content-length': String(bodyLength) };
  const method = bodyLength === undefined ? 'GET' : 'POST';
  const call = request({ host: address, port, path, method, headers: { ...headers, ...length }, agent: false, signal: AbortSignal.timeout(patience) });
  const answered: Promise<IncomingMessage> = new Promise((resolve, reject) => call.once('response', resolve).once('error', reject));
  for (let left = bodyLength ?? 0; left > 0; left -= 10_000) call.write('x'.repeat(Math.min(left, 10_000)));
  call.end();
  const response = await answered;
  return { status: response.statusCode ?? 0, headers: flat(response.headers), body: await text(response) };
}

/** Connects and says nothing; the first line that comes. Then, on the same connection, `say` and what comes back. */
async function tcp({ address, port, say }: { readonly address: string; readonly port: number; readonly say: string }): Promise<readonly [string, string]> {
  const socket = connect(port, address);
  const signal = AbortSignal.timeout(patience);
  try {
    const [banner] = await once(socket, 'data', { signal });
    socket.write(say);
    const [echoed] = await once(socket, 'data', { signal });
    return [String(banner), String(echoed)];
  } finally {
    socket.destroy();
  }
}

async function webSocket({ url, host, say }: { readonly url: string; readonly host: string; readonly say: string }): Promise<string> {
  const socket = new WebSocket(url, { headers: { host }, handshakeTimeout: patience });
  await once(socket, 'open');
  socket.send(say);
  const [answer] = await once(socket, 'message', { signal: AbortSignal.timeout(patience) });
  socket.close();
  return String(answer);
}

async function callGrpc({ target, say }: { readonly target: string; readonly say: string }): Promise<string> {
  const client = new grpc.Client(target, grpc.credentials.createInsecure());
  try {
    return await new Promise((resolve, reject) => {
      const deadline = Date.now() + patience;
      client.makeUnaryRequest(echo.path, asIs, asIs, Buffer.from(say), { deadline }, (error, reply) => (error ? reject(error) : resolve(String(reply))));
    });
  } finally {
    client.close();
  }
}

/** Everything that can be asked for. */
export const actions = {
  ...{ serveHttp, serveBanner, serveGrpc, serveUdp, serveTls, http, tcp, udp, webSocket, callGrpc, callTls },
  ...{ open, exchange, close, untilClosed, startLoad, moreLoad, stopLoad },
};
