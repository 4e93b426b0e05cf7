/** Who calls in plaintext, as a real Envoy remembers it for `weft check --strict-ready`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import type { SidecarReport } from '../../src/commands/strict-ready/sidecar.js';
import { maxPlaintextCallers } from '../../src/model/plaintext.js';
import type { Cleanup } from '../support/envoy.js';
import { answer, ask, askMany, startHttp } from '../support/http.js';
import { eventually } from '../support/mesh.js';
import { appPorts, startPlaintextEnvoy } from '../support/plaintext-envoy.js';
import { portOf } from '../support/port.js';

/** An app that takes connections, and says `hello` on each. */
async function startApp(t: Cleanup): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    socket.write('hello');
  }).listen(0, '127.0.0.1');
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  return portOf(server);
}

/** A connection from an address of this machine, once the app has spoken. */
async function call(t: Cleanup, port: number, localAddress: string): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, localAddress });
  t.after(async () => void socket.destroy());
  await once(socket, 'data');
  return socket;
}

const seenBy = ({ sightings }: SidecarReport) => sightings.map(({ port, address, times }) => ({ port, address, times }));

test('a connection is seen while it is open, and told of as before: once, at its end', { timeout: 60_000 }, async (t) => {
  const envoy = await startPlaintextEnvoy(t, await startApp(t));
  const before = Math.floor(Date.now() / 1000);
  const socket = await call(t, envoy.tcp, '127.0.0.2');
  const report = await envoy.report();
  assert.deepEqual(seenBy(report), [{ port: appPorts.tcp, address: '127.0.0.2', times: 1 }]);
  assert.ok((report.sightings[0]?.lastSeen ?? 0) >= before && (report.sightings[0]?.lastSeen ?? 0) <= Date.now() / 1000);
  assert.equal(report.isFull, false);
  assert.deepEqual(await envoy.log(), []);
  assert.doesNotMatch(await envoy.metrics(), /tcp_connections_closed|127\.0\.0\.2/);
  socket.destroy();
  const metrics = await eventually(async () => ((await envoy.metrics()).includes('tcp_connections_closed') ? envoy.metrics() : undefined));
  assert.match(metrics, /^envoy_weft_tcp_connections_closed_total\{direction="inbound",source="",destination="web.shop.7000",response_flags="-"\} 1$/m);
  assert.doesNotMatch(metrics, /plaintext/, 'addresses are no labels for Prometheus');
  const lines = await eventually(async () => ((await envoy.log()).length > 0 ? envoy.log() : undefined));
  assert.equal(lines.length, 1);
  assert.deepEqual(seenBy(await envoy.report()), [{ port: appPorts.tcp, address: '127.0.0.2', times: 1 }]);
});

test('so is a request, where a policy looks into them', { timeout: 60_000 }, async (t) => {
  const app = await startHttp(t, 'app', answer(200));
  const envoy = await startPlaintextEnvoy(t, app.port);
  for (const path of ['a', 'b']) assert.equal((await ask(envoy.http, `http://web.shop/${path}`)).status, 200);
  assert.deepEqual(seenBy(await envoy.report()), [{ port: appPorts.http, address: '127.0.0.1', times: 2 }]);
  const lines = await eventually(async () => ((await envoy.log()).length > 1 ? envoy.log() : undefined));
  assert.deepEqual(
    lines.map(({ path, status }) => [path, status]),
    [
      ['/a', 200],
      ['/b', 200],
    ],
  );
  assert.match(await envoy.metrics(), /^envoy_weft_requests_total\{direction="inbound",.*response_code_class="2xx",.*\} 2$/m);
});

test('where a policy looks into requests, the header by which the app knows its callers is taken from who calls in plaintext', {
  timeout: 60_000,
}, async (t) => {
  const app = await startHttp(t, 'app', answer(200));
  const envoy = await startPlaintextEnvoy(t, app.port);
  const headers = { 'x-forwarded-client-cert': 'URI=spiffe://cluster.local/ns/shop/sa/admin', 'x-other': 'stays' };
  assert.equal((await ask(envoy.http, 'http://web.shop/', { headers })).status, 200);
  assert.deepEqual([app.arrivals[0]?.headers['x-forwarded-client-cert'], app.arrivals[0]?.headers['x-other']], [undefined, 'stays']);
});

test('who does not call any more is forgotten, and a connection that stays open is not', { timeout: 120_000 }, async (t) => {
  const envoy = await startPlaintextEnvoy(t, await startApp(t), { forget: '2s', see: '0.2s' });
  await call(t, envoy.tcp, '127.0.0.3');
  const gone = await call(t, envoy.tcp, '127.0.0.4');
  gone.destroy();
  const seen = async () => seenBy(await envoy.report()).map(({ address }) => address);
  assert.deepEqual((await seen()).sort(), ['127.0.0.3', '127.0.0.4']);
  await eventually(async () => (await seen()).join() === '127.0.0.3');
});

test('no more callers are remembered than the limit, and the report tells so', { timeout: 120_000 }, async (t) => {
  const envoy = await startPlaintextEnvoy(t, await startApp(t));
  await askMany(maxPlaintextCallers + 20, 8, async (index) => (await call(t, envoy.tcp, `127.0.${1 + (index >> 7)}.${1 + (index & 127)}`)).destroy());
  const report = await envoy.report();
  assert.equal(report.sightings.length, maxPlaintextCallers);
  assert.equal(report.isFull, true);
});
