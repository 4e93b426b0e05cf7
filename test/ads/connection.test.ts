/** What keeps connections alive, and what ends them: seen from a bare HTTP/2 client. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { connect as tcpConnect } from 'node:net';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { fixedCertificate } from '../../src/serve/certificate.js';
import { makeCertificates } from '../support/certificates.js';
import { connect as connectXds, openDelta } from '../support/xds-client.js';
import { startTestServer } from '../support/xds-server.js';

test('a silent connection is pinged', { timeout: 20_000 }, async (t) => {
  const server = await startTestServer({ serveLimits: { keepaliveMs: 50 } });
  t.after(server.close);
  const session = connect(`http://localhost:${server.port}`);
  t.after(async () => session.destroy());
  await once(session, 'ping');
});

test('an old connection is asked to go, so that clients spread over replicas', { timeout: 20_000 }, async (t) => {
  const server = await startTestServer({ serveLimits: { connectionAgeMs: 50 } });
  t.after(server.close);
  const session = connect(`http://localhost:${server.port}`);
  t.after(async () => session.destroy());
  await once(session, 'goaway');
});

test('a connection without a call is closed', { timeout: 20_000 }, async (t) => {
  const server = await startTestServer({ serveLimits: { connectionIdleMs: 50 } });
  t.after(server.close);
  const session = connect(`http://localhost:${server.port}`);
  t.after(async () => session.destroy());
  await once(session, 'goaway');
});

for (const tls of [undefined, { certificate: fixedCertificate(makeCertificates(['localhost']).leaves.get('localhost') ?? assert.fail()) }]) {
  test(`who holds all the connections that he may have keeps nobody else out${tls ? ', with TLS' : ''}`, { timeout: 20_000 }, async (t) => {
    const server = await startTestServer({ ...(tls ? { tls } : {}), listen: '127.0.0.1:0', serveLimits: { connections: 6, connectionsPerPeer: 4 } });
    t.after(server.close);
    const from = async (localAddress: string) => {
      const socket = tcpConnect({ port: server.port, host: '127.0.0.1', localAddress });
      t.after(async () => socket.destroy());
      socket.resume().on('error', () => undefined);
      await once(socket, 'connect');
      return socket;
    };
    const held = [await from('127.0.0.2'), await from('127.0.0.2'), await from('127.0.0.2'), await from('127.0.0.2')];
    await once(await from('127.0.0.2'), 'close');
    await from('127.0.0.3');
    await from('127.0.0.4');
    const last = await from('127.0.0.5');
    await once(held[3] ?? assert.fail(), 'close');
    assert.equal(last.closed, false);
  });
}

test('a server that leaves ends its streams, and takes no new ones', { timeout: 20_000 }, async (t) => {
  const server = await startTestServer();
  server.world.set('Cluster', 'c', '1');
  t.after(server.close);
  const clients = Array.from({ length: 3 }, () => connectXds(server.port));
  for (const client of clients) t.after(() => client.close());
  const streams = clients.map((client, index) => openDelta(client, `node-${index}`));
  for (const stream of streams) {
    stream.request('Cluster', { resource_names_subscribe: ['c'] });
    await stream.take();
  }
  await server.drain(100);
  for (const { code, details } of await Promise.all(streams.map(({ ended }) => ended))) {
    assert.equal(code, status.UNAVAILABLE);
    assert.match(details, /leaving/);
  }
  const late = openDelta(connectXds(server.port), 'late');
  late.request('Cluster');
  assert.equal((await late.ended).code, status.UNAVAILABLE);
});
