/** Certificates over ADS between real Envoys: whose they are, what others say of them, and that nobody notices when they change. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { issueSvid } from '../../src/identity/x509.js';
import { spiffeId } from '../../src/model/spiffe.js';
import { eventually } from '../support/mesh.js';
import { verifyProblems } from '../support/openssl.js';
import { httpPort, type IdentityMesh, serverAddress, startIdentityMesh, tcpPort } from './identity-mesh.js';
import { certificatesOf } from './shown-certificates.js';

const cleanups: (() => Promise<void>)[] = [];
let mesh: IdentityMesh;

before(async () => {
  mesh = await startIdentityMesh({ after: (hook) => void cleanups.push(hook) }, ['--certificate-lifetime', '20s']);
});

after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

test('each Envoy has the certificate of its own ServiceAccount, and calls go over mutual TLS', async () => {
  const uris = await Promise.all(mesh.envoys.map(async (envoy) => (await certificatesOf(envoy)).leaf.subject_alt_names));
  assert.deepEqual(uris, [[{ uri: 'spiffe://cluster.local/ns/shop/sa/client' }], [{ uri: 'spiffe://cluster.local/ns/shop/sa/server' }]]);
  const { status, body } = await mesh.client.run('http', { address: serverAddress, port: httpPort });
  assert.equal(status, 200, body);
  assert.match(JSON.parse(body).headers['x-forwarded-client-cert'] ?? '', /URI=spiffe:\/\/cluster\.local\/ns\/shop\/sa\/client/);
});

test('what is shown on the wire is a certificate that openssl accepts, and TLS 1.3', async () => {
  const shown = await new Promise<string>((resolve) => {
    const args = ['s_client', '-connect', `${mesh.server.address}:15008`, '-servername', `p${httpPort}.weft`, '-showcerts'];
    // Without a certificate of ours it ends in failure, after it has been shown the server's.
    execFile('ip', ['netns', 'exec', mesh.network.gateway.netns, 'openssl', ...args], (_, stdout) => resolve(stdout)).stdin?.end();
  });
  assert.match(shown, /TLSv1\.3/);
  assert.equal(verifyProblems(shown, await readFile(join(mesh.ca, 'ca.crt'), 'utf8')), '');
});

test('a certificate that was stolen is refused once it has expired, and the Envoy that refuses it counts that', { timeout: 60_000 }, async () => {
  const [certificate, key] = await Promise.all(['ca.crt', 'ca.key'].map((name) => readFile(join(mesh.ca, name), 'utf8')));
  const id = spiffeId('cluster.local', { namespace: 'shop', serviceAccount: 'client' });
  const notAfter = Math.ceil(Date.now() / 1000 + 4) * 1000;
  const stolen = await issueSvid({ certificate: certificate ?? '', key: key ?? '' }, id, { notBefore: Date.now() - 60_000, notAfter });
  const { gateway } = mesh.network;
  const call = {
    address: mesh.server.address,
    port: 15_008,
    serverName: `p${httpPort}.weft`,
    say: 'GET / HTTP/1.1\r\nhost: server\r\nconnection: close\r\n\r\n',
  };
  const counted = async () => /15008\.ssl\.fail_verify_error: (\d+)/.exec((await mesh.envoys[1]?.admin('/stats?filter=fail_verify_error')) ?? '')?.[1];
  assert.match(await gateway.run('callTls', { ...call, ...stolen }), /^HTTP\/1\.1 200/);
  assert.equal(await counted(), '0');
  const isRefused = () =>
    gateway.run('callTls', { ...call, ...stolen }).then(
      () => false,
      () => true,
    );
  await eventually(isRefused);
  assert.ok(Date.now() >= notAfter, 'it was good until then');
  assert.equal(await counted(), '1');
});

/** How long; by hand it can be longer. */
const seconds = Number(process.env['WEFT_ROTATION_SECONDS'] ?? 60);

test('no request fails while certificates change every ten seconds', { timeout: (2 * seconds + 60) * 1000 }, async (t) => {
  const perSecond = 60;
  await mesh.client.run('startLoad', { address: serverAddress, httpPort, tcpPort, perSecond });
  const serials = mesh.envoys.map(() => new Set<string>());
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    await mesh.client.run('moreLoad', { requests: perSecond });
    for (const [index, envoy] of mesh.envoys.entries()) serials[index]?.add((await certificatesOf(envoy)).leaf.serial_number);
  }
  const { requests, connections, failures } = await mesh.client.run('stopLoad', undefined);
  const changes = serials.map(({ size }) => size - 1);
  t.diagnostic(`certificates changed ${changes.join(' and ')} times: ${requests} requests and ${connections} connections, ${failures.length} failed`);
  assert.deepEqual(failures, [], await troubles());
  assert.ok(Math.min(...changes) >= Math.floor(seconds / 20), `changed ${changes} times`);
});

/** What the Envoys have counted of connections that came to nothing, for the message. */
async function troubles(): Promise<string> {
  const counts = await Promise.all(
    mesh.envoys.map(({ admin }) =>
      admin('/stats?usedonly&filter=ssl\\.(fail|connection_error)|cx_connect_fail|rq_pending_failure|rq_rx_reset|cx_destroy_remote_with'),
    ),
  );
  return counts.join('\n');
}

test('no request fails while the root is changed end to end, and at the end both ends have the new root alone', { timeout: 240_000 }, async (t) => {
  const roots = async () => (await Promise.all(mesh.envoys.map(certificatesOf))).map((shown) => shown.roots);
  const before = await roots();
  assert.deepEqual(
    before.map(({ length }) => length),
    [1, 1],
  );
  await mesh.client.run('startLoad', { address: serverAddress, httpPort, tcpPort, perSecond: 60 });
  const rotation = await rotateByCommand(mesh);
  await mesh.client.run('moreLoad', { requests: 200 });
  const { requests, connections, failures } = await mesh.client.run('stopLoad', undefined);
  t.diagnostic(`the root changed in ${rotation.length} steps: ${requests} requests and ${connections} connections, ${failures.length} failed`);
  assert.deepEqual(failures, [], await troubles());
  assert.deepEqual(
    rotation.filter((step) => step !== 'Wait'),
    ['Begin', 'Sign', 'Drop', 'Done'],
  );
  const now = await eventually(async () => {
    const found = await roots();
    return found.every(({ length }) => length === 1) && found;
  });
  assert.equal(now[0]?.[0], now[1]?.[0]);
  assert.notEqual(now[0]?.[0], before[0]?.[0]);
});

test('a token that is taken out of the file ends its stream, and is refused from then on; the app goes on', { timeout: 60_000 }, async () => {
  const refused = async (reason: RegExp, since: number) =>
    (await mesh.log())
      .slice(since)
      .split('\n')
      .some((line) => reason.test(line));
  const { length } = await mesh.log();
  await mesh.writeTokens(['client']);
  await eventually(() => refused(/"reason":"the token of this stream is no longer good".*AggregatedResources/, length));
  await eventually(() => refused(/"reason":"there is no token, or nobody has this one.*AggregatedResources/, length));
  assert.equal((await mesh.client.run('http', { address: serverAddress, port: httpPort })).status, 200);
});

const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** `weft ca rotate`, where the admin port is: its steps. */
async function rotateByCommand({ ca, network }: IdentityMesh): Promise<readonly string[]> {
  const args = ['netns', 'exec', network.gateway.netns, process.execPath, main, 'ca', 'rotate', '--ca', ca, '-o', 'json', '--timeout', '3m'];
  const { stdout } = await promisify(execFile)('ip', args);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).step);
}
