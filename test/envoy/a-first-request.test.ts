/** A host that no sidecar has ever called is reached at the first request, whatever its kind; a host that does not exist costs next to nothing. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer as createHttpServer, request } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { WebSocket, WebSocketServer } from 'ws';
import type { Cleanup } from '../support/envoy.js';
import { ask, askMany, echoed, startHttp } from '../support/http.js';
import { createMesh, eventually, type Mesh, namespace, type Sidecar } from '../support/mesh.js';
import { portOf } from '../support/port.js';

const hash = (data: Buffer) => createHash('sha256').update(data).digest('hex');
const bytes = (buffer: Buffer) => buffer;

/** Answers with the hash of the body. */
async function startHashing(t: Cleanup): Promise<number> {
  const server = createHttpServer(async (incoming, response) => {
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part);
    response.end(`${incoming.headers['transfer-encoding'] ?? 'length'} ${hash(Buffer.concat(parts))}`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    server.close();
    server.closeAllConnections();
  });
  return portOf(server);
}

const method = {
  path: '/chat.Chat/Talk',
  requestStream: true,
  responseStream: true,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
};

/** A gRPC server that answers each message of a stream at once, by the same bytes. */
async function startGrpc(t: Cleanup): Promise<number> {
  const server = new grpc.Server();
  server.addService(
    { talk: method },
    { talk: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => call.on('data', (message: Buffer) => call.write(message)).on('end', () => call.end()) },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  t.after(async () => server.forceShutdown());
  return port;
}

/** A server that speaks first, and then says everything twice. */
async function startBanner(t: Cleanup): Promise<number> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined).write('welcome\n');
    socket.on('data', (data) => socket.write(Buffer.concat([data, data])));
    t.after(async () => void socket.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => void server.close());
  return portOf(server);
}

/** A connection through the proxy, by CONNECT. */
async function tunnel(proxyPort: number, authority: string) {
  const connecting = request({ host: '127.0.0.1', port: proxyPort, method: 'CONNECT', path: authority, agent: false }).end();
  const [response, socket, head] = await once(connecting, 'connect');
  assert.equal(response.statusCode, 200);
  socket.unshift(head);
  return socket;
}

async function talk(proxyPort: number, authority: string): Promise<readonly string[]> {
  const client = new grpc.Client(`127.0.0.1:${proxyPort}`, grpc.credentials.createInsecure(), { 'grpc.default_authority': authority });
  const call = client.makeBidiStreamRequest(method.path, bytes, bytes, new grpc.Metadata());
  const heard: string[] = [];
  for (const word of ['one', 'two', 'three']) {
    call.write(Buffer.from(word));
    const [message] = await once(call, 'data');
    heard.push(String(message));
  }
  call.end();
  call.resume();
  const [{ code }] = await once(call, 'status');
  client.close();
  return [...heard, String(code)];
}

/** What each kind of first request has to see. Every host is called for the first time there. */
const kinds: Readonly<Record<string, (port: number, host: string) => Promise<void>>> = {
  GET: async (port, host) => assert.equal(echoed(await ask(port, `http://${host}.shop/a?b=c`)).url, '/a?b=c'),
  'a POST of 400 kB with a length': async (port, host) => {
    const body = randomBytes(400_000);
    assert.equal((await ask(port, `http://${host}.shop/`, { method: 'POST', body })).body, `length ${hash(body)}`);
  },
  'a chunked POST of 400 kB': async (port, host) => {
    const body = randomBytes(400_000);
    assert.equal((await ask(port, `http://${host}.shop/`, { method: 'POST', body, chunks: 40 })).body, `chunked ${hash(body)}`);
  },
  'a bidirectional stream of gRPC': async (port, host) => assert.deepEqual(await talk(port, `${host}.shop`), ['one', 'two', 'three', '0']),
  'a WebSocket': async (port, host) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: `${host}.shop` } });
    await once(socket, 'open');
    socket.send('hello');
    const [message] = await once(socket, 'message');
    assert.equal(String(message), 'hello');
    socket.terminate();
  },
  'TCP through CONNECT to a server that speaks first': async (port, host) => {
    const socket = await tunnel(port, `${host}.shop:3306`);
    const [banner] = await once(socket, 'data');
    assert.equal(String(banner), 'welcome\n');
    socket.write('ab');
    const [answer] = await once(socket, 'data');
    assert.equal(String(answer), 'abab');
    socket.destroy();
  },
};

const hostOf = (kind: string) => `host-${Object.keys(kinds).indexOf(kind)}`;

async function deployAll(t: Cleanup, mesh: Mesh): Promise<void> {
  const socketServer = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  socketServer.on('connection', (socket) => socket.on('message', (message) => socket.send(message)));
  await once(socketServer, 'listening');
  t.after(async () => socketServer.close());
  const socketPort = Number(Object(socketServer.address()).port);
  const http = { name: 'http', port: 80 };
  const ports = [(await startHttp(t, 'get')).port, await startHashing(t), await startHashing(t), await startGrpc(t), socketPort, await startBanner(t)];
  const declared = [http, http, http, { name: 'grpc', port: 80 }, http, { name: 'mysql', port: 3306 }];
  for (const [index, kind] of Object.keys(kinds).entries())
    await mesh.deploy({ name: hostOf(kind), port: declared[index] ?? http, members: [{ port: ports[index] ?? 0 }] });
}

const traffic = async (mesh: Mesh, { name }: Sidecar) => (await mesh.settled(name)).traffic;

test('the first request to a host that was never called', { timeout: 60_000 }, async (t) => {
  const mesh = await createMesh(t);
  await deployAll(t, mesh);
  await mesh.start();
  const proxy = await mesh.sidecar('web-1');
  for (const [kind, succeeds] of Object.entries(kinds)) {
    await t.test(`${kind} succeeds, and the second one costs no message`, async (t) => {
      const begin = performance.now();
      await succeeds(proxy.port, hostOf(kind));
      const first = performance.now() - begin;
      const before = await traffic(mesh, proxy);
      const again = performance.now();
      await succeeds(proxy.port, hostOf(kind));
      t.diagnostic(`first ${first.toFixed(0)} ms, second ${(performance.now() - again).toFixed(0)} ms`);
      assert.deepEqual(await traffic(mesh, proxy), before);
    });
  }
});

const strangers = 10_000;

test('hosts that do not exist', { timeout: 120_000 }, async (t) => {
  const mesh = await createMesh(t);
  await mesh.start();
  const proxy = await mesh.sidecar('web-1');
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  t.after(async () => agent.destroy());

  await t.test('are answered with 404 at once', async (t) => {
    const begin = performance.now();
    assert.equal((await ask(proxy.port, 'http://late.shop/')).status, 404);
    t.diagnostic(`404 after ${(performance.now() - begin).toFixed(0)} ms`);
  });

  await t.test(`cost little, even ${strangers} different ones`, async (t) => {
    await askMany(500, 32, (index) => ask(proxy.port, `http://warm-${index}.shop/`, { agent }));
    const [weftBefore, envoyBefore] = [await mesh.status(), await proxy.envoy.rss()];
    const answers = await askMany(strangers, 32, (index) => ask(proxy.port, `http://stranger-${index}.shop/`, { agent }));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([404]));
    const [weftAfter, envoyAfter] = [await mesh.status(), await proxy.envoy.rss()];
    const perName = (bytes: number) => bytes / strangers;
    const [weft, envoy] = [perName(weftAfter.process.rssBytes - weftBefore.process.rssBytes), perName(envoyAfter - envoyBefore)];
    t.diagnostic(`a name costs Weft ${Math.round(weft)} and Envoy ${Math.round(envoy)} bytes of resident memory; Weft knows ${weftAfter.names} names`);
    assert.ok(weft < 10_000, `${weft} bytes a name in Weft`);
    assert.ok(envoy < 20_000, `${envoy} bytes a name in Envoy`);
  });

  await t.test('are served when a Service of the name appears, however long after', async (t) => {
    const backend = await startHttp(t, 'late');
    await mesh.deploy({ name: 'late', members: [backend] });
    const begin = performance.now();
    const reply = await eventually(async () => {
      const reply = await ask(proxy.port, 'http://late.shop/');
      return reply.status !== 404 && reply;
    });
    assert.equal(echoed(reply).headers.host, `late.${namespace}`);
    t.diagnostic(`served after ${(performance.now() - begin).toFixed(0)} ms`);
  });

  await t.test('are not all remembered for ever', async (t) => {
    await askMany(strangers, 32, (index) => ask(proxy.port, `http://other-${index}.shop/`, { agent }));
    const { names } = await mesh.status();
    t.diagnostic(`${2 * strangers} names were asked in vain, and Weft keeps ${names}`);
    assert.ok(names < 1.7 * strangers);
  });
});
