/** Nothing that began with a certificate outlives it for long: neither a stream nor a session that could be taken up again. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { inboundFilters } from '../../src/compile/inbound-chain.js';
import { inboundPorts, inboundUses } from '../../src/compile/inbound-ports.js';
import { inboundPortCluster } from '../../src/compile/names.js';
import { fromMesh } from '../../src/compile/tls.js';
import { encode } from '../../src/envoy/encode.js';
import type { Bootstrap, FilterChain } from '../../src/envoy/types.js';
import { defaultMeshConfig } from '../../src/model/mesh-config.js';
import { leafName, rootsName } from '../../src/model/secret-names.js';
import { startEnvoy } from '../../src/proxy/run.js';
import { storeOf } from '../compile/world.js';
import { envoyBinary, temporaryFolder } from '../support/envoy.js';
import { portOf } from '../support/port.js';
import { type Credentials, makeCredentials } from './authorization/callers.js';

const caller = { namespace: 'shop', serviceAccount: 'cart' };
const appPort = 8080;

/** The chain of a port for mutual TLS, with the certificates given rather than asked for, and a second in the place of a day. */
function hurried(): FilterChain {
  const service = `{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {clusterIP: None, selector: {app: web}, ports: [{name: http, port: ${appPort}}]}}`;
  const audience = {
    namespace: 'shop',
    zone: '',
    client: 'captured',
    explicitPort: 0,
    serviceAccount: 'web',
    labels: { app: 'web' },
    ports: new Map(),
  } as const;
  const [port] = inboundPorts(inboundUses(storeOf(service).mesh, audience), 'Permissive');
  const chain = { filters: inboundFilters(port ?? assert.fail(), 'mtls', defaultMeshConfig), transport_socket: fromMesh(defaultMeshConfig.trustDomain) };
  const text = JSON.stringify(chain, (key, value) => (key === 'sds_config' ? undefined : value));
  return JSON.parse(text.replaceAll('"86400s"', '"1s"'));
}

function configure({ authority, server }: Credentials, folder: string, app: number): Bootstrap {
  const address = (port_value: number) => ({ socket_address: { address: '127.0.0.1', port_value } });
  const name = inboundPortCluster(appPort);
  return {
    admin: { address: { pipe: { path: join(folder, 'admin.sock') } } },
    static_resources: {
      listeners: [{ name: 'mtls', address: address(0), filter_chains: [hurried()] }],
      clusters: [{ name, load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address: address(app) } }] }] } }],
      secrets: [
        { name: leafName, tls_certificate: { certificate_chain: { inline_string: server.certificate }, private_key: { inline_string: server.key } } },
        { name: rootsName, validation_context: { trusted_ca: { inline_string: authority } } },
      ],
    },
  };
}

/** An app that upgrades whatever asks for it, and answers everything else without an end; its sidecar; and how to connect. */
async function start(t: TestContext) {
  const app = createServer((_, response) => void response.write('begun'));
  app.on('upgrade', (_, socket) => {
    socket.on('error', () => undefined);
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
  });
  await once(app.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    app.close();
    app.closeAllConnections();
  });
  const folder = await temporaryFolder(t);
  const credentials = await makeCredentials(defaultMeshConfig.trustDomain, [caller]);
  const bootstrap = configure(credentials, folder, portOf(app));
  const file = join(folder, 'bootstrap.pb');
  await writeFile(file, encode('envoy.config.bootstrap.v3.Bootstrap', bootstrap));
  const envoy = await startEnvoy({ binary: await envoyBinary(), bootstrap: { admin: bootstrap.admin }, args: ['-c', file], outputFile: join(folder, 'log') });
  t.after(envoy.stop);
  await envoy.ready();
  const port = Number(/^mtls::.*:(\d+)$/m.exec(await envoy.admin('/listeners'))?.[1]);
  const { certificate: cert, key } = credentials.of(caller);
  return async (protocol: string): Promise<TLSSocket> => {
    const options = { host: '127.0.0.1', port, cert, key, ca: credentials.authority, ALPNProtocols: [protocol], checkServerIdentity: () => undefined };
    const socket = connect(options).on('error', () => undefined);
    t.after(() => void socket.destroy());
    await once(socket, 'secureConnect');
    return socket;
  };
}

test('streams end, though they are never silent for long and their connection waits for them', { timeout: 60_000 }, async (t) => {
  const open = await start(t);
  await t.test('a WebSocket', async () => {
    const socket = await open('http/1.1');
    socket.write('GET / HTTP/1.1\r\nhost: web\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
    const [answer] = await once(socket, 'data');
    assert.match(String(answer), /^HTTP\/1\.1 101/);
    await once(socket.resume(), 'close');
  });
  await t.test('a stream of HTTP/2', async () => {
    const socket = await open('h2');
    const session = connectHttp2('http://web', { createConnection: () => socket });
    const stream = session.request({ ':method': 'POST', ':path': '/' }, { endStream: false }).on('error', () => undefined);
    await once(stream, 'response');
    await new Promise((resolve) => stream.resume().once('close', resolve));
    session.destroy();
  });
});

test('no session can be taken up again, which would need no certificate', { timeout: 60_000 }, async (t) => {
  const open = await start(t);
  const socket = await open('http/1.1');
  const sessions: Buffer[] = [];
  socket.on('session', (session) => sessions.push(session));
  socket.write('GET / HTTP/1.1\r\nhost: web\r\n\r\n');
  await once(socket, 'data');
  assert.equal(sessions.length, 0, 'a server offers it before its first answer');
});
