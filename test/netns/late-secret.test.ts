/** A sidecar whose certificate comes later than everything else: it waits, and then nothing of it is stuck. */
import assert from 'node:assert/strict';
import { chmod, mkdir } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parsers } from '../../src/commands/parsers.js';
import { createCompiler } from '../../src/compile/compiler.js';
import { createController } from '../../src/controller.js';
import type { Bootstrap } from '../../src/envoy/types.js';
import { may } from '../../src/identity/may.js';
import { createSecrets } from '../../src/identity/secrets.js';
import { bootstrap } from '../../src/inject/bootstrap.js';
import { startEnvoy } from '../../src/proxy/run.js';
import { createRegistry } from '../../src/serve/registry.js';
import { createScheduler } from '../../src/serve/scheduler.js';
import { startServer } from '../../src/serve/server.js';
import { loadFolder } from '../../src/sources/files.js';
import { createStore } from '../../src/sources/store.js';
import { newRoot, testAuthority } from '../support/authority.js';
import { type Cleanup, envoyBinary } from '../support/envoy.js';
import { put } from '../support/manifests.js';
import { eventually } from '../support/mesh.js';
import { seen } from './captured-mesh.js';
import { addresses, namespace, podOf, serviceOf, vips } from './mutual-mesh.js';
import { createNetwork } from './network.js';
import { makeHome, uid } from './processes.js';

const cleanups: (() => Promise<void>)[] = [];
const cleanup: Cleanup = { after: (hook) => void cleanups.push(hook) };

after(async () => {
  for (const hook of cleanups.reverse()) await hook();
});

/** Weft in this process, at a unix socket, which can be reached from every network namespace. Its authority cannot sign yet. */
async function serve(home: string) {
  const root = await newRoot();
  const ca = testAuthority({ ...root, kind: 'certificate' });
  const errors: string[] = [];
  const controller = createController({ store: createStore(), compiler: createCompiler({ mtls: true }), onDefect: (_, error) => errors.push(String(error)) });
  const secrets = createSecrets({ ca, trustDomain: () => 'cluster.local', clock: Date.now, onError: (error) => errors.push(String(error)) });
  controller.serveSecrets(secrets);
  controller.apply((await loadFolder(join(home, 'mesh'), parsers)).changes);
  const shared = { scopes: controller.scopes, registry: createRegistry(), scheduler: createScheduler(), clock: Date.now };
  const server = await startServer({
    listen: '127.0.0.1:0',
    authenticate: async () => ({}),
    context: {
      ...shared,
      classify: controller.classify,
      may,
      onDenied: () => undefined,
      onRefusal: () => undefined,
      enter: ({ audience }) => secrets.hold(audience),
    },
  });
  const path = join(home, 'weft.sock');
  const relay = createServer((socket) => void socket.pipe(connect(server.port, '127.0.0.1')).pipe(socket)).listen(path);
  await eventually(async () => relay.listening);
  await chmod(path, 0o666);
  cleanup.after(async () => {
    relay.close();
    await server.close();
    secrets.close();
  });
  return { path, errors, sign: () => ca.replace(root) };
}

test('it is not ready before it has its certificate, and calls what it has never called after that', async () => {
  const home = await makeHome(cleanup);
  await mkdir(join(home, 'mesh'));
  const web = serviceOf('mixed', vips.mixed, [{ name: 'http', port: 80, targetPort: 8080 }], { app: 'plain' }, { plain: addresses.plain });
  await put(join(home, 'mesh'), 'mesh', [podOf('client', addresses.client, true), podOf('plain', addresses.plain, false), ...web]);
  const network = await createNetwork(cleanup);
  const client = await network.pod('client', addresses.client, {});
  const plain = await network.pod('plain', addresses.plain);
  await plain.run('serveHttp', { name: 'plain', port: 8080 });
  const weft = await serve(home);

  const made = bootstrap({
    proxy: { namespace, pod: 'client', serviceAccount: 'client', labels: { app: 'client' }, zone: '', client: 'captured' },
    controlPlane: { host: '192.0.2.1', port: 1 },
    adminSocket: join(home, 'admin.sock'),
    stats: 'all',
  });
  const here: Bootstrap = JSON.parse(
    JSON.stringify(made).replace('{"socket_address":{"address":"192.0.2.1","port_value":1}}', `{"pipe":{"path":"${weft.path}"}}`),
  );
  const envoy = await startEnvoy({ binary: await envoyBinary(), bootstrap: here, netns: client.netns, uid, logFile: join(home, 'envoy.log') });
  cleanup.after(envoy.stop);
  await eventually(async () => /update_success: [1-9]/.test(await envoy.admin('/stats?filter=listener_manager.lds.update_success').catch(() => '')));
  assert.match(weft.errors.join(), /no authority/);
  assert.doesNotMatch(await envoy.admin('/ready').catch(String), /^LIVE/);

  weft.sign();
  await envoy.ready();
  assert.equal((await seen(client, { address: vips.mixed, port: 80 })).app, 'plain');
});
