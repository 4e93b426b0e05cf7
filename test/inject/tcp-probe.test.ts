import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Bootstrap } from '../../src/envoy/types.js';
import { bootstrap } from '../../src/inject/bootstrap.js';
import { podAddress, tcpProbePath } from '../../src/inject/bootstrap-probes.js';
import { startEnvoy } from '../../src/proxy/run.js';
import { envoyBinary, temporaryFolder } from '../support/envoy.js';
import { freePort } from '../support/port.js';

test('a TCP probe succeeds while the app listens, and only then', async (t) => {
  const [healthPort, appPort] = [await freePort(), await freePort()];
  const made = bootstrap({
    proxy: { serviceAccount: 'default', labels: {}, zone: '', client: 'captured' },
    controlPlane: { host: '127.0.0.1', port: 1 },
    adminSocket: join(await temporaryFolder(t), 'admin.sock'),
    health: { address: '127.0.0.1', port: healthPort, tcpProbes: [{ port: appPort, periodSeconds: 1 }] },
  });
  const { dynamic_resources: _, ...alone }: Bootstrap = JSON.parse(JSON.stringify(made).replaceAll(podAddress, '127.0.0.1'));
  const envoy = await startEnvoy({ binary: await envoyBinary(), bootstrap: alone });
  t.after(envoy.stop);
  await envoy.ready();
  const probe = () =>
    new Promise<number | undefined>((resolve, reject) => {
      get({ host: '127.0.0.1', port: healthPort, path: tcpProbePath(appPort), agent: false }, (response) => {
        response.resume().once('end', () => resolve(response.statusCode));
      }).once('error', reject);
    });
  const becomes = async (status: number) => {
    while ((await probe()) !== status) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  assert.equal(await probe(), 503);
  const app = createServer((socket) => socket.on('error', () => undefined).resume()).listen(appPort, '127.0.0.1');
  t.after(() => app.close());
  await once(app, 'connection');
  await becomes(200);
  app.close();
  await becomes(503);
});
