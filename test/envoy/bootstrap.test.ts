import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { Bootstrap, Cluster } from '../../src/envoy/types.js';
import { type BootstrapOptions, bootstrap } from '../../src/inject/bootstrap.js';
import { keyHeader } from '../../src/inject/probe.js';
import { startEnvoy } from '../../src/proxy/run.js';
import { envoyBinary, rejection, temporaryFolder } from '../support/envoy.js';
import { freePort, portOf } from '../support/port.js';

const plain: BootstrapOptions = {
  proxy: { namespace: 'shop', pod: 'web-1', serviceAccount: 'web', labels: { app: 'web', version: 'v1' }, zone: 'z1', client: 'captured' },
  controlPlane: { host: '127.0.0.1', port: 15_010 },
};

/** A certificate and its key; it also stands for the authority. */
async function makeCertificate(folder: string): Promise<{ readonly certificateFile: string; readonly keyFile: string }> {
  const files = { certificateFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') };
  const what = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=weft'];
  await promisify(execFile)('openssl', ['req', '-x509', ...what, '-keyout', files.keyFile, '-out', files.certificateFile]);
  return files;
}

test('Envoy and the strict codec accept every variant', async (t) => {
  const folder = await temporaryFolder(t);
  const client = await makeCertificate(folder);
  const tls = { serverName: 'weft.weft-system.svc', caFile: client.certificateFile };
  const adminSocket = join(folder, 'admin.sock');
  const tokenSecretFile = join(folder, 'token.json');
  await writeFile(tokenSecretFile, JSON.stringify({ resources: [] }));
  const variants: Readonly<Record<string, BootstrapOptions>> = {
    plain,
    explicit: { ...plain, proxy: { ...plain.proxy, client: 'explicit', explicitPort: 15_002, zone: '' } },
    'every statistic': { ...plain, stats: 'all' },
    'by name': { ...plain, controlPlane: { host: 'weft.weft-system.svc', port: 15_012 } },
    'with TLS': { ...plain, controlPlane: { host: 'weft.weft-system.svc', port: 15_012, tls } },
    'with mutual TLS': { ...plain, controlPlane: { host: '127.0.0.1', port: 15_012, tls: { ...tls, client } } },
    'server named by address': { ...plain, controlPlane: { host: '127.0.0.1', port: 15_012, tls: { ...tls, serverName: '127.0.0.1' } } },
    'with trust that rotates': {
      ...plain,
      controlPlane: { host: '127.0.0.1', port: 15_012, tls: { serverName: tls.serverName, caSecretFile: tokenSecretFile } },
    },
    'with a token': { ...plain, controlPlane: { ...plain.controlPlane, tokenSecretFile } },
    'with admin and health': { ...plain, adminSocket, health: { drainKey: 'secret' } },
    'without drain': { ...plain, adminSocket },
    'without health': { ...plain, adminSocket, health: false },
  };
  for (const [name, options] of Object.entries(variants)) assert.equal(await rejection(bootstrap(options)), undefined, name);
});

test('a bootstrap that Envoy would refuse is reported in its words', async () => {
  const broken: Bootstrap = { ...bootstrap(plain), admin: { address: { socket_address: { address: 'nowhere', port_value: 1 } } } };
  assert.match((await rejection(broken)) ?? '', /malformed IP address: nowhere/);
});

test('a sidecar is not ready before its control plane has answered', async (t) => {
  const silent = createServer().listen(0, '127.0.0.1');
  t.after(() => silent.close());
  const asked = once(silent, 'connection');
  await once(silent, 'listening');
  const adminSocket = join(await temporaryFolder(t), 'admin.sock');
  const health = { address: '127.0.0.1', port: await freePort() };
  const options = { ...plain, controlPlane: { host: '127.0.0.1', port: portOf(silent) }, adminSocket, health };
  const envoy = await startEnvoy({ binary: await envoyBinary(), bootstrap: bootstrap(options) });
  t.after(envoy.stop);
  const [connection] = await asked;
  t.after(() => connection.destroy());
  await assert.rejects(envoy.admin('/ready'), /with 503: .*INITIALIZING/);
  await assert.rejects(get(health.port, '/ready'), { code: 'ECONNREFUSED' });
});

/** The same sidecar without a control plane, so that it goes live by itself. */
function withoutControlPlane({ dynamic_resources: _, ...rest }: Bootstrap): Bootstrap {
  return rest;
}

test('the health listener shows readiness and metrics, drains for who has the key, and nothing else', async (t) => {
  const adminSocket = join(await temporaryFolder(t), 'admin.sock');
  const health = { address: '127.0.0.1', port: await freePort(), drainKey: 'secret' };
  const envoy = await startEnvoy({ binary: await envoyBinary(), bootstrap: withoutControlPlane(bootstrap({ ...plain, adminSocket, health })) });
  t.after(envoy.stop);
  await envoy.ready();
  const status = async (path: string, headers = {}, method = 'GET') => (await get(health.port, path, headers, method)).status;
  assert.deepEqual(await get(health.port, '/ready'), { status: 200, body: 'LIVE\n' });
  const metrics = await get(health.port, '/stats/prometheus');
  assert.match(metrics.body, /^envoy_server_live\{\} 1$/m);
  assert.doesNotMatch(metrics.body, /envoy_http_/, 'statistics are lean');
  assert.equal(await status('/drain'), 404);
  assert.equal(await status('/drain', { [keyHeader]: 'guess' }), 404);
  assert.equal(await status('/drain', { [keyHeader]: 'secret' }), 200);
  for (const path of ['/config_dump', '/', '/ready/../config_dump', '/stats', '/quitquitquit']) assert.equal(await status(path), 404, path);
  assert.equal(await status('/quitquitquit', {}, 'POST'), 404);
  assert.deepEqual(await get(health.port, '/ready'), { status: 200, body: 'LIVE\n' }, 'the listener outlives the drain');
});

test('lean statistics keep destinations, by a tag', async (t) => {
  const adminSocket = join(await temporaryFolder(t), 'admin.sock');
  const clusters: readonly Cluster[] = [
    { name: 'web', alt_stat_name: 'out.web.shop.80', type: 'STATIC', load_assignment: { cluster_name: 'web' } },
    { name: 'other', type: 'STATIC', load_assignment: { cluster_name: 'other' } },
  ];
  const made = withoutControlPlane(bootstrap({ ...plain, adminSocket, health: false }));
  const withClusters: Bootstrap = { ...made, static_resources: { clusters } };
  const envoy = await startEnvoy({ binary: await envoyBinary(), bootstrap: withClusters });
  t.after(envoy.stop);
  await envoy.ready();
  const metrics = await envoy.admin('/stats/prometheus');
  assert.match(metrics, /^envoy_cluster_membership_total\{destination="web.shop.80"\} 0$/m);
  assert.doesNotMatch(metrics, /other|envoy_cluster_lb_/);
});

/** A request to 127.0.0.1 with the path as it stands, dots and all. */
function get(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    call.once('error', reject).end();
  });
}
