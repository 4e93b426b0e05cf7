/** Who calls in these tests, and how: raw HTTP/1.1, or HTTP/2 with the path as it is, so that nothing between the test and Envoy mends it. */
import { once } from 'node:events';
import { connect as connectHttp2, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { issueSvid, makeAuthority } from '../../../src/identity/x509.js';
import { spiffeId } from '../../../src/model/spiffe.js';

/** PEM texts. */
interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** A ServiceAccount. */
export interface Identity {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** The certificates of a test. */
export interface Credentials {
  readonly authority: string;
  readonly server: Pair;
  /** That of an identity. */
  readonly of: (identity: Identity) => Pair;
}

/** An authority, and a certificate for each identity. */
export async function makeCredentials(trustDomain: string, identities: readonly Identity[]): Promise<Credentials> {
  const validity = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000 };
  const authority = await makeAuthority(validity);
  const pairs = new Map<string, Pair>();
  const own = { namespace: 'shop', serviceAccount: 'reviews' };
  for (const identity of [own, ...identities])
    pairs.set(spiffeId(trustDomain, identity), await issueSvid(authority, spiffeId(trustDomain, identity), validity));
  const of = (identity: Identity) => pairs.get(spiffeId(trustDomain, identity)) ?? fail(identity);
  return { authority: authority.certificate, server: of(own), of };
}

function fail(identity: Identity): never {
  throw new Error(`no certificate for ${JSON.stringify(identity)}`);
}

/** Where a call comes from. */
export interface Caller {
  /** Left out: plaintext. */
  readonly identity?: Identity | undefined;
  /** An address of 127.0.0.0/8. */
  readonly address: string;
}

/** Where a port listens. */
interface Target {
  readonly host: string;
  readonly port: number;
}

/** A connection of a caller. */
export async function open({ identity, address }: Caller, target: Target, credentials: Credentials, protocol = 'http/1.1'): Promise<Socket> {
  const socket = connectTcp({ ...target, localAddress: address });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  if (!identity) return socket;
  const { certificate, key } = credentials.of(identity);
  const tls = connectTls({ socket, cert: certificate, key, ca: credentials.authority, ALPNProtocols: [protocol], checkServerIdentity: () => undefined });
  tls.on('error', () => undefined);
  await once(tls, 'secureConnect');
  return tls;
}

/** An answer; status 0 where the connection ended without one. */
export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** What is sent: header names may stand twice. */
export interface Request {
  readonly method: string;
  /** As it stands in the request line. */
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Sends a request and reads its answer, which must have a content-length. */
export async function exchange(socket: Socket, { method, path, headers }: Request): Promise<Answer> {
  const lines = [`${method} ${path} HTTP/1.1`, 'host: reviews', ...headers.map(([name, value]) => `${name}: ${value}`), '', ''];
  const answer = readAnswer(socket, method === 'HEAD');
  socket.write(lines.join('\r\n'), 'latin1');
  return answer;
}

const none: Answer = { status: 0, headers: new Map(), body: '' };

function readAnswer(socket: Socket, isHead: boolean): Promise<Answer> {
  return new Promise((resolve) => {
    let text = '';
    const settle = (answer: Answer) => {
      socket.off('data', onData).off('close', onClose);
      resolve(answer);
    };
    const onData = (part: Buffer) => {
      text += part.toString('latin1');
      const answer = parse(text, isHead);
      if (answer) settle(answer);
    };
    const onClose = () => settle(none);
    socket.on('data', onData).once('close', onClose);
    if (socket.destroyed) onClose();
  });
}

function parse(text: string, isHead: boolean): Answer | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
  const body = text.slice(end + 4);
  const isWhole = isHead || body.length >= Number(headers.get('content-length') ?? 0);
  return isWhole ? { status: Number(first.split(' ')[1]), headers, body } : undefined;
}

/** Sends a request by HTTP/2 on a connection of its own; the pseudo-headers are among the headers. */
export async function exchangeHttp2(caller: Caller, target: Target, credentials: Credentials, headers: OutgoingHttpHeaders): Promise<Answer> {
  const socket = await open(caller, target, credentials, 'h2');
  const session = connectHttp2('http://reviews', { createConnection: () => socket }).on('error', () => undefined);
  try {
    return await new Promise((resolve) => {
      let [body, got] = ['', none];
      session
        .once('close', () => resolve(got))
        .request(headers)
        .on('error', () => undefined)
        .on('response', (received) => (got = { ...none, status: Number(received[':status']), headers: textsOf(received) }))
        .on('data', (part: Buffer) => (body += part.toString('latin1')))
        .once('close', () => resolve({ ...got, body }))
        .end();
    });
  } finally {
    session.destroy();
  }
}

function textsOf(headers: IncomingHttpHeaders): ReadonlyMap<string, string> {
  return new Map(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
