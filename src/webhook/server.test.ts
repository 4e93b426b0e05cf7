import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { connect } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { issueServing, makeAuthority, type Pair } from '../identity/x509.js';
import { type HttpsAnswer, type HttpsOptions, startHttps } from './server.js';

const validity = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000 };
const authorities = await Promise.all([makeAuthority(validity), makeAuthority(validity)]);
const [first, second] = await Promise.all(authorities.map((authority) => issueServing(authority, ['localhost'], validity)));

/** A server on loopback, and how to call it. */
async function started(t: { after: (hook: () => Promise<void>) => void }, given: Partial<HttpsOptions>) {
  assert.ok(first);
  let current: Pair = first;
  const listeners: (() => void)[] = [];
  const defects: string[] = [];
  const server = await startHttps({
    host: '127.0.0.1',
    port: 0,
    certificate: { current: () => current, onChange: (listener) => listeners.push(listener) },
    routes: {},
    onDefect: (path, error) => defects.push(`${path}: ${error instanceof Error ? error.message : error}`),
    ...given,
  });
  t.after(() => server.close(0));
  const swap = (next: Pair) => {
    current = next;
    for (const listener of listeners) listener();
  };
  return { server, swap, defects };
}

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly connection: string | undefined;
}

function call(port: number, path: string, body: Buffer | string = '', agent: Agent | false = false, ca = authorities[0]?.certificate): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method: 'POST', agent: agent || undefined, ca, servername: 'localhost' };
    const asked = request(agent ? options : { ...options, agent: new Agent() }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text, connection: response.headers.connection }));
    });
    asked.once('error', reject).end(body);
  });
}

const echo = async ({ method, body }: { readonly method: string; readonly body: Buffer }): Promise<HttpsAnswer> => ({
  status: 200,
  body: { method, bytes: body.length },
});

test('a route gets the whole body and answers in JSON or text', async (t) => {
  const { server } = await started(t, { routes: { '/echo': echo, '/text': async () => ({ status: 418, body: 'short\n' }) } });
  assert.deepEqual(JSON.parse((await call(server.port, '/echo?timeout=5s', 'x'.repeat(200_000))).text), { method: 'POST', bytes: 200_000 });
  const { status, text } = await call(server.port, '/text');
  assert.deepEqual([status, text], [418, 'short\n']);
  const missing = await call(server.port, '/toString');
  assert.deepEqual([missing.status, missing.text], [404, 'There is nothing at /toString; there is /echo and /text\n']);
});

test('a body beyond the bound is refused, announced or not, and the server goes on', async (t) => {
  const { server } = await started(t, { routes: { '/echo': echo }, limits: { bodyBytes: 1000 } });
  assert.equal((await call(server.port, '/echo', Buffer.alloc(1000))).status, 200);
  assert.equal((await call(server.port, '/echo', Buffer.alloc(1001))).status, 413);
  const chunked = request({ host: '127.0.0.1', port: server.port, path: '/echo', method: 'POST', ca: authorities[0]?.certificate, servername: 'localhost' });
  chunked.on('error', () => undefined);
  chunked.write(Buffer.alloc(600));
  chunked.write(Buffer.alloc(600));
  const [response] = await once(chunked, 'response');
  assert.equal(response.statusCode, 413);
  chunked.destroy();
  assert.equal((await call(server.port, '/echo', 'x')).status, 200);
});

test('a route that fails is answered with 500 and reported, and the next one is served', async (t) => {
  const routes = { '/bad': () => Promise.reject(new Error('broken')), '/echo': echo };
  const { server, defects } = await started(t, { routes });
  const { status, text } = await call(server.port, '/bad');
  assert.equal(status, 500);
  assert.doesNotMatch(text, /broken/);
  assert.deepEqual(defects, ['/bad: broken']);
  assert.equal((await call(server.port, '/echo')).status, 200);
});

test('a caller that speaks no TLS, or no HTTP, or stops in the middle harms nobody', async (t) => {
  const { server } = await started(t, { routes: { '/echo': echo }, limits: { requestMs: 200 } });
  const raw = connect(server.port, '127.0.0.1').on('error', () => undefined);
  raw.end('GET / HTTP/1.1\r\n\r\n');
  await once(raw, 'close');
  const silent = connect(server.port, '127.0.0.1').on('error', () => undefined);
  await once(silent, 'close');
  const half = request({ host: '127.0.0.1', port: server.port, path: '/echo', method: 'POST', ca: authorities[0]?.certificate, servername: 'localhost' });
  half.setHeader('content-length', 100);
  half.write('x');
  const status = await new Promise((resolve) => half.once('response', (response) => resolve(response.resume().statusCode)));
  half.on('error', () => undefined).destroy();
  assert.equal(status, 408);
  assert.equal((await call(server.port, '/echo')).status, 200);
});

test('a connection may rest before its first request, longer than a request may take', async (t) => {
  const { server } = await started(t, { routes: { '/echo': echo }, limits: { requestMs: 100 } });
  const socket = connectTls({ host: '127.0.0.1', port: server.port, ca: authorities[0]?.certificate, servername: 'localhost' });
  await once(socket, 'secureConnect');
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  socket.write('GET /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  const [answer] = await once(socket, 'data');
  assert.match(String(answer), /^HTTP\/1\.1 200 /);
});

test('a new certificate holds for new connections, and those that are open go on', async (t) => {
  const { server, swap } = await started(t, { routes: { '/echo': echo } });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(async () => agent.destroy());
  assert.equal((await call(server.port, '/echo', '', agent)).status, 200);
  assert.ok(second);
  swap(second);
  assert.equal((await call(server.port, '/echo', '', agent)).status, 200);
  await assert.rejects(call(server.port, '/echo'), /certificate/);
  assert.equal((await call(server.port, '/echo', '', false, authorities[1]?.certificate)).status, 200);
});

test('what one address has under way is bounded, and leaves room for another', async (t) => {
  const limits = { bodyBytes: 10_000, underWayBytes: 40_000, underWayBytesPerPeer: 20_000 };
  let inform: () => void = () => undefined;
  let release: () => void = () => undefined;
  const isHeld = new Promise<void>((resolve) => (inform = resolve));
  const held = new Promise<HttpsAnswer>((resolve) => (release = () => resolve({ status: 200, body: 'at last\n' })));
  const hold = () => {
    inform();
    return held;
  };
  const { server } = await started(t, { limits, routes: { '/echo': echo, '/hold': hold } });
  const waiting = call(server.port, '/hold', Buffer.alloc(10_000));
  await isHeld;
  assert.equal((await call(server.port, '/echo', Buffer.alloc(100))).status, 200);
  assert.equal((await call(server.port, '/echo', Buffer.alloc(9_000))).status, 503);
  assert.equal((await call(server.port, '/echo', Buffer.alloc(9_000), new Agent({ localAddress: '127.0.0.2' }))).status, 200);
  release();
  assert.equal((await waiting).text, 'at last\n');
  assert.equal((await call(server.port, '/echo', Buffer.alloc(9_000))).status, 200);
});

test('who holds all the connections that he may have keeps nobody else out', async (t) => {
  const { server } = await started(t, { routes: { '/echo': echo }, limits: { connections: 2, connectionsPerPeer: 2 } });
  const agents = [new Agent({ keepAlive: true }), new Agent({ keepAlive: true })];
  t.after(async () => {
    for (const agent of agents) agent.destroy();
  });
  for (const agent of agents) await call(server.port, '/echo', '', agent);
  await assert.rejects(call(server.port, '/echo'));
  assert.equal((await call(server.port, '/echo', '', new Agent({ localAddress: '127.0.0.2' }))).status, 200);
});

test('closing lets the requests under way finish, and asks callers to go elsewhere before', async (t) => {
  let answer: () => void = () => undefined;
  const slow = new Promise<HttpsAnswer>((resolve) => {
    answer = () => resolve({ status: 200, body: 'late\n' });
  });
  let arrived: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const route = () => {
    arrived();
    return slow;
  };
  const { server } = await started(t, { routes: { '/slow': route, '/echo': echo } });
  const agent = new Agent({ keepAlive: true });
  t.after(async () => agent.destroy());
  assert.equal((await call(server.port, '/echo', '', agent)).connection, 'keep-alive');
  server.drain();
  assert.equal((await call(server.port, '/echo', '', agent)).connection, 'close');
  const reply = call(server.port, '/slow', '', agent);
  await asked;
  const closed = server.close();
  await assert.rejects(call(server.port, '/echo'), { code: 'ECONNREFUSED' });
  answer();
  assert.equal((await reply).text, 'late\n');
  await closed;
});
