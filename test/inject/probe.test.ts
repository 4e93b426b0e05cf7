import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer, get } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import type { Bootstrap } from '../../src/envoy/types.js';
import { issueServing, makeAuthority } from '../../src/identity/x509.js';
import { bootstrap } from '../../src/inject/bootstrap.js';
import { podAddress } from '../../src/inject/bootstrap-probes.js';
import { keyHeader, type Probe, probePath } from '../../src/inject/probe.js';
import { startEnvoy } from '../../src/proxy/run.js';
import { validFor } from '../support/authority.js';
import { envoyBinary, temporaryFolder } from '../support/envoy.js';
import { freePort } from '../support/port.js';

const drainKey = 'k3yOfTheKubelet0';
const times = { periodSeconds: 1, timeoutSeconds: 1 };

interface Answer {
  readonly status: number | undefined;
  readonly location: string | undefined;
}

/** A sidecar of these probes beside an app on loopback; the answer to a path of its health port. */
async function startSidecar(t: TestContext, probes: readonly Probe[]): Promise<(path: string, headers?: object, method?: string) => Promise<Answer>> {
  const healthPort = await freePort();
  const made = bootstrap({
    proxy: { serviceAccount: 'default', labels: {}, zone: '', client: 'captured' },
    controlPlane: { host: '127.0.0.1', port: 1 },
    adminSocket: join(await temporaryFolder(t), 'admin.sock'),
    health: { address: '127.0.0.1', port: healthPort, drainKey, probes },
  });
  const { dynamic_resources: _, ...alone }: Bootstrap = JSON.parse(JSON.stringify(made).replaceAll(podAddress, '127.0.0.1'));
  const envoy = await startEnvoy({ binary: await envoyBinary(), bootstrap: alone });
  t.after(envoy.stop);
  await envoy.ready();
  return (path, headers = {}, method = 'GET') =>
    new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', port: healthPort, path, method, headers: { ...headers }, agent: false }, (response) => {
        const { statusCode: status, headers } = response.resume();
        response.once('end', () => resolve({ status, location: headers.location }));
      }).once('error', reject);
    });
}

async function untilStatus(ask: () => Promise<Answer>, status: number): Promise<void> {
  while ((await ask()).status !== status) await new Promise((resolve) => setTimeout(resolve, 50));
}

async function listening(t: TestContext, server: Server, port = 0): Promise<number> {
  await once(server.listen(port, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  return portOf(server.address());
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address ? address.port : 0;
}

test('a TCP probe succeeds while the app listens, and only then', async (t) => {
  const port = await freePort();
  const probe: Probe = { kind: 'tcp', port, periodSeconds: 1 };
  const sidecar = await startSidecar(t, [probe]);
  const ask = () => sidecar(probePath(probe));
  assert.equal((await ask()).status, 503);
  const app = createServer((socket) => socket.on('error', () => undefined).resume());
  await listening(t, app, port);
  await untilStatus(ask, 200);
  app.close();
  await untilStatus(ask, 503);
});

/** Answers grpc.health.v1 for the services of the map, 1 for one that serves and 2 for one that does not. */
async function serveHealth(t: TestContext, port: number, states: ReadonlyMap<string, number>): Promise<void> {
  const server = new grpc.Server();
  const serviceIn = (request: Buffer) => ({ service: request.subarray(2).toString() });
  const Check = {
    path: '/grpc.health.v1.Health/Check',
    ...{ requestStream: false, responseStream: false },
    ...{ requestSerialize: (bytes: Buffer) => bytes, requestDeserialize: serviceIn },
    ...{ responseSerialize: (state: number) => Buffer.from([8, state]), responseDeserialize: (bytes: Buffer) => bytes[1] ?? 0 },
  };
  const check: grpc.handleUnaryCall<{ readonly service: string }, number> = ({ request }, callback) => callback(null, states.get(request.service) ?? 3);
  server.addService({ Check }, { Check: check });
  await new Promise((resolve) => void server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), resolve));
  t.after(() => server.forceShutdown());
}

test('a gRPC probe says what the app says of the service that is meant', async (t) => {
  const port = await freePort();
  const [whole, one]: readonly [Probe, Probe] = [
    { kind: 'grpc', port, service: '', ...times },
    { kind: 'grpc', port, service: 'shop.v1.Orders', ...times },
  ];
  const sidecar = await startSidecar(t, [whole, one]);
  const [ofWhole, ofOne] = [() => sidecar(probePath(whole)), () => sidecar(probePath(one))];
  assert.deepEqual([(await ofWhole()).status, (await ofOne()).status], [503, 503]);
  const states = new Map([
    ['', 1],
    ['shop.v1.Orders', 2],
  ]);
  await serveHealth(t, port, states);
  await untilStatus(ofWhole, 200);
  assert.equal((await ofOne()).status, 503);
  states.set('shop.v1.Orders', 1);
  await untilStatus(ofOne, 200);
  states.set('', 2);
  await untilStatus(ofWhole, 503);
});

test('an HTTP probe asks the app each time: its path, its query, its headers', async (t) => {
  const seen: object[] = [];
  let status = 200;
  const connections = new Set<unknown>();
  const app = createHttpServer(({ url, headers, socket }, response) => {
    connections.add(socket);
    seen.push({ url, own: headers['x-own'], key: headers[keyHeader] });
    response.writeHead(status, status === 302 ? { location: '/login' } : {}).end();
  });
  const port = await listening(t, app);
  const probe: Probe = { kind: 'http', port, path: '/healthz?deep=1' };
  const ask = await startSidecar(t, [probe]);
  const kubelet = { [keyHeader]: drainKey, 'x-own': 'kept' };
  assert.equal((await ask(probePath(probe), kubelet)).status, 200);
  assert.deepEqual(seen, [{ url: '/healthz?deep=1', own: 'kept', key: undefined }]);
  status = 500;
  assert.equal((await ask(probePath(probe), kubelet)).status, 500);
  status = 302;
  assert.deepEqual(await ask(probePath(probe), kubelet), { status: 302, location: undefined });
  assert.equal(connections.size, 3, 'none is kept that the app could end just then');

  await t.test('nobody else can ask, and nothing else can be asked', async () => {
    const path = probePath(probe);
    const refused = [
      ask(path, {}),
      ask(path, { [keyHeader]: 'guess' }),
      ask(path, kubelet, 'POST'),
      ask(path.replace('deep', 'shallow'), kubelet),
      ask(`/probe/http/${port}/admin`, kubelet),
      ask(`/probe/http/${port}/healthz/../admin`, kubelet),
    ];
    for (const answer of await Promise.all(refused)) assert.equal(answer.status, 404);
    assert.equal(seen.length, 3);
  });

  await t.test('without an app it fails', async () => {
    app.close();
    await untilStatus(() => ask(probePath(probe), kubelet), 503);
  });
});

test('an HTTPS probe asks the app over TLS, whatever its certificate', async (t) => {
  const { certificate: cert, key } = await issueServing(await makeAuthority(validFor()), ['app'], validFor());
  const port = await listening(
    t,
    createHttpsServer({ cert, key }, ({ url }, response) => response.writeHead(url === '/up' ? 204 : 500).end()),
  );
  const probe: Probe = { kind: 'https', port, path: '/up' };
  const ask = await startSidecar(t, [probe]);
  assert.equal((await ask(probePath(probe), { [keyHeader]: drainKey })).status, 204);
});
