/** What a sidecar does when the kubelet rotates its token and the trust in its control plane, seen from that control plane. */
import assert from 'node:assert/strict';
import { EventEmitter, on } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { issueServing, makeAuthority } from '../../src/identity/x509.js';
import { bootstrap } from '../../src/inject/bootstrap.js';
import { sdsFiles } from '../../src/inject/sds-files.js';
import { startEnvoy } from '../../src/proxy/run.js';
import { fixedCertificate } from '../../src/serve/certificate.js';
import { envoyBinary, temporaryFolder } from '../support/envoy.js';
import { eventually } from '../support/mesh.js';
import { freePort } from '../support/port.js';
import { projectVolume } from '../support/projected-volume.js';
import { startGuardedServer } from '../support/xds-server.js';

const serverName = 'weft-controller.weft-system.svc';
const proxy = { namespace: 'shop', pod: 'web-1', serviceAccount: 'web', labels: {}, zone: '', client: 'captured' as const };

async function makeServer() {
  const validity = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000 };
  const authority = await makeAuthority(validity);
  const issue = async (name: string) => ({ tls: { certificate: fixedCertificate(await issueServing(authority, [name], validity)) } });
  return { ca: authority.certificate, issue };
}

test('a rotated token goes with the next stream, a rotated authority is trusted at the next connection, another name never', { timeout: 60_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  const [before, after] = [await makeServer(), await makeServer()];
  const volume = join(folder, 'volume');
  const sds = sdsFiles({ folder: volume, serverName });
  const { replace } = await projectVolume(volume, { ...sds, token: 'first', 'ca.crt': before.ca });

  const calls = new EventEmitter();
  const seen = on(calls, 'token');
  const next = async () => String((await seen.next()).value);
  let good = 'first';
  const authenticate = async (metadata: { readonly get: (name: string) => readonly (string | Buffer)[] }) => {
    const token = metadata.get('authorization').join();
    if (token !== `Bearer ${good}`) return { refused: 'UNAUTHENTICATED' as const, reason: 'the token has expired' };
    calls.emit('token', token);
    return { id: 'shop/web-1' };
  };
  const listen = `127.0.0.1:${await freePort()}`;
  const serve = async (tls: Awaited<ReturnType<typeof before.issue>>) => {
    const server = await startGuardedServer({ listen, ...tls }, { authenticate });
    t.after(server.close);
    return server;
  };
  const first = await serve(await before.issue(serverName));

  const controlPlane = {
    host: '127.0.0.1',
    port: first.port,
    tls: { serverName, caSecretFile: join(volume, 'ca.json') },
    tokenSecretFile: join(volume, 'token.json'),
  };
  const adminSocket = join(folder, 'admin.sock');
  const envoy = await startEnvoy({ binary: await envoyBinary(), bootstrap: bootstrap({ proxy, controlPlane, adminSocket, health: false, stats: 'all' }) });
  t.after(envoy.stop);
  await envoy.ready();
  assert.equal(await next(), 'Bearer first');

  good = 'second';
  await replace({ ...sds, token: 'second', 'ca.crt': before.ca });
  assert.equal(
    first.endStreamsOf(() => true, 'the token has expired'),
    1,
  );
  assert.equal(await next(), 'Bearer second');

  good = 'third';
  await replace({ ...sds, token: 'third', 'ca.crt': before.ca + after.ca });
  await first.close();
  const second = await serve(await after.issue(serverName));
  assert.equal(await next(), 'Bearer third');

  await second.close();
  good = 'fourth';
  await replace({ ...sds, token: 'fourth', 'ca.crt': after.ca });
  const impostor = await serve(await after.issue('somebody.else.svc'));
  const failures = async () => Number(/cluster\.xds\.ssl\.fail_verify_san: (\d+)/.exec(await envoy.admin('/stats?filter=fail_verify_san'))?.[1]);
  await eventually(async () => (await failures()) > 0);
  assert.equal(impostor.registry.size(), 0);
  await impostor.close();
  await serve(await after.issue(serverName));
  assert.equal(await next(), 'Bearer fourth');
});
