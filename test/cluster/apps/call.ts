/** One call of another application, as its client libraries would make it. */
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { request as requestTls } from 'node:https';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { askGrpc, openGrpc } from './grpc-app.js';
import { askUdp } from './udp-app.js';

/** What to call: exactly one of these. */
export type Call =
  | { readonly http: HttpCall }
  /** A gRPC call; the answer is a text. */
  | { readonly grpc: string; readonly say: string }
  /** Waits for the server's greeting, speaks, and answers with both lines and the time to the greeting. */
  | { readonly tcp: string; readonly say: string }
  | { readonly udp: string; readonly say: string }
  /** Opens a TLS connection without a certificate, and answers with what the server shows, see {@link ShownTls}. */
  | { readonly tls: string; readonly serverName: string };

/** What a server shows in a handshake. */
export interface ShownTls {
  /** As Node names it: `TLSv1.3`. */
  readonly protocol: string;
  /** Its certificate, as PEM. */
  readonly certificate: string;
}

/** A GET, or a POST of a body of so many bytes. */
export interface HttpCall {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly bodyLength?: number;
  readonly agent?: Agent | undefined;
  /** Asks so many times, on one connection; the last answer counts. 1 unless given. */
  readonly times?: number;
  /** Asks again, every 200 ms, until the answer is a 200. */
  readonly insist?: boolean;
}

/** The answer to a request. Its `headers` are joined where there are several of a name. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Makes the call that the JSON text describes. */
export async function callJson(json: string): Promise<unknown> {
  const call: Call = JSON.parse(json);
  if ('http' in call) return callHttp(call.http);
  if ('tls' in call) return callTls(...hostPort(call.tls), call.serverName);
  if ('udp' in call) return askUdp(...hostPort(call.udp), call.say);
  if ('tcp' in call) return callTcp(...hostPort(call.tcp), call.say);
  const client = openGrpc(call.grpc);
  return askGrpc(client, call.say).finally(() => client.close());
}

function hostPort(address: string): [string, number] {
  const [host = '', port = ''] = address.split(':');
  return [host, Number(port)];
}

async function callHttp(call: HttpCall): Promise<HttpAnswer> {
  const agent = call.url.startsWith('https:') ? undefined : new Agent({ keepAlive: true });
  for (let left = (call.times ?? 1) - 1; left > 0; left--) await fetchText({ ...call, agent });
  let answer = await fetchText({ ...call, agent });
  while (call.insist && answer.status !== 200) {
    await pause(200);
    answer = await fetchText({ ...call, agent });
  }
  agent?.destroy();
  return answer;
}

/** One request; what prevents an answer is told as status 0, with the reason as its body. */
export async function fetchText({ url, headers = {}, bodyLength, agent }: HttpCall): Promise<HttpAnswer> {
  const method = bodyLength === undefined ? 'GET' : 'POST';
  const send = url.startsWith('https:') ? requestTls : request;
  // A certificate tells nothing here: what is tried is whether the bytes come and go.
  const options = {
    method,
    headers,
    timeout: 20_000,
    ...(agent ? { agent } : { agent: false }),
    ...(send === requestTls ? { rejectUnauthorized: false } : {}),
  };
  try {
    const sent = send(url, options);
    const answered: Promise<IncomingMessage> = new Promise((resolve, reject) => sent.once('response', resolve).once('error', reject));
    sent.once('timeout', () => sent.destroy(new Error('no answer within 20 s')));
    sent.end(bodyLength === undefined ? undefined : 'x'.repeat(bodyLength));
    const response = await answered;
    return { status: response.statusCode ?? 0, headers: flat(response.headers), body: await text(response) };
  } catch (error) {
    return { status: 0, headers: {}, body: String(error) };
  }
}

function flat(headers: IncomingMessage['headers']): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

async function callTcp(host: string, port: number, say: string): Promise<{ readonly greeting: string; readonly echo: string; readonly greetingMs: number }> {
  const begin = performance.now();
  const socket = connect(port, host);
  const signal = AbortSignal.timeout(20_000);
  try {
    const [greeting] = await once(socket, 'data', { signal });
    const greetingMs = performance.now() - begin;
    socket.write(`${say}\n`);
    const [echo] = await once(socket, 'data', { signal });
    return { greeting: String(greeting).trim(), echo: String(echo).trim(), greetingMs };
  } finally {
    socket.destroy();
  }
}

async function callTls(host: string, port: number, servername: string): Promise<ShownTls> {
  const socket = connectTls({ host, port, servername, rejectUnauthorized: false }).on('error', () => undefined);
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(20_000) });
    return { protocol: socket.getProtocol() ?? '', certificate: String(socket.getPeerX509Certificate() ?? '') };
  } finally {
    socket.destroy();
  }
}
