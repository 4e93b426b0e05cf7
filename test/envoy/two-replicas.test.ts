/** An Envoy that moves from one Weft to another, which learned of the same objects in another way, is sent nothing that it has. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startWeft } from '../../src/commands/demo/weft-process.js';
import { fetchStatus } from '../../src/commands/status-fetch.js';
import { bootstrap } from '../../src/inject/bootstrap.js';
import { startEnvoy } from '../../src/proxy/run.js';
import type { ProxyRow } from '../../src/status/report.js';
import { type Cleanup, envoyBinary, temporaryFolder } from '../support/envoy.js';
import { ask, startHttp } from '../support/http.js';
import { backends, type Manifest, policy, put, service, take } from '../support/manifests.js';
import { eventually } from '../support/mesh.js';
import { freePort, freePorts } from '../support/port.js';
import { type Relay, startRelay } from '../support/relay.js';

const names = ['reviews', 'ratings', 'catalog'];

interface Replica {
  readonly port: number;
  /** The row of the proxy, once it has answered everything, and has so many resources. */
  readonly settled: (pod: string, resources?: number) => Promise<ProxyRow>;
  readonly write: (file: string, objects: readonly Manifest[]) => Promise<void>;
  readonly remove: (file: string) => Promise<void>;
  readonly services: () => Promise<number>;
}

async function startReplica(t: Cleanup, home: string, name: string): Promise<Replica> {
  const manifests = join(home, name);
  await mkdir(manifests);
  const [port = 0, adminPort = 0] = await freePorts(2);
  const weft = await startWeft({ manifests, port, adminPort, logFile: join(home, `${name}.log`) });
  t.after(weft.kill);
  const admin = `127.0.0.1:${adminPort}`;
  return {
    port,
    settled: (pod, resources) =>
      eventually(async () => {
        const row = (await fetchStatus(admin)).proxies.find(({ proxy }) => proxy === `shop/${pod}`);
        return row && row.pending === 0 && row.synced > 0 && row.synced === (resources ?? row.synced) ? row : undefined;
      }),
    write: (file, objects) => put(manifests, file, objects),
    remove: (file) => take(manifests, file),
    services: async () => {
      const page: { readonly ports: readonly object[] } = JSON.parse(await (await fetch(`http://${admin}/ports`)).text());
      return page.ports.length;
    },
  };
}

async function startSidecar(t: Cleanup, home: string, pod: string, relay: Relay): Promise<number> {
  const explicitPort = await freePort();
  const proxy = { namespace: 'shop', pod, serviceAccount: 'web', labels: { app: 'web' }, zone: '', client: 'explicit' as const, explicitPort };
  const configuration = bootstrap({ proxy, controlPlane: { host: '127.0.0.1', port: relay.port }, adminSocket: join(home, `${pod}.sock`), health: false });
  const envoy = await startEnvoy({ binary: await envoyBinary(), bootstrap: configuration, logFile: join(home, `${pod}.log`) });
  t.after(envoy.stop);
  await envoy.ready();
  return explicitPort;
}

/** The same objects for both, with members of each Service in the order given. */
async function objectsOf(t: Cleanup): Promise<readonly (readonly Manifest[])[]> {
  const made = names.map(async (name, index) => {
    const members = await Promise.all([1, 2].map((number) => startHttp(t, `${name}-${number}`)));
    const processes = members.map(({ port }, at) => ({ pod: `${name}-${at}`, address: '127.0.0.1', port }));
    return [service('shop', name, `10.96.0.${index + 1}`, [{ name: 'http', port: 80 }]), ...backends('shop', name, 'http', processes)];
  });
  return [
    ...(await Promise.all(made)),
    [policy('shop', 'retry', 'reviews', { retry: { attempts: 2 } }), policy('shop', 'limit', 'ratings', { timeouts: { request: '9s' } })],
  ];
}

/** One hears of all at once; the other piece by piece, backwards, and of things that change and go. */
async function tellBoth(first: Replica, second: Replica, objects: readonly (readonly Manifest[])[]): Promise<void> {
  await first.write('all', objects.flat());
  await second.write('old', [service('shop', 'gone', '10.96.0.1', [{ name: 'tcp', port: 1 }]), policy('shop', 'retry', 'reviews', { retry: { attempts: 9 } })]);
  await eventually(async () => (await second.services()) === 1);
  await second.remove('old');
  await eventually(async () => (await second.services()) === 0);
  for (const [index, part] of objects.toReversed().entries()) {
    await second.write(`part-${index}`, part.toReversed());
    await eventually(async () => (await second.services()) === index);
  }
  await eventually(async () => (await first.services()) === names.length);
}

test('Envoys move between replicas', { timeout: 60_000 }, async (t) => {
  const home = await temporaryFolder(t);
  const [first, second] = [await startReplica(t, home, 'first'), await startReplica(t, home, 'second')];
  await tellBoth(first, second, await objectsOf(t));
  const relay = await startRelay(t);
  relay.leadTo(first.port);
  const port = await startSidecar(t, home, 'web-1', relay);
  for (const name of names) assert.equal((await ask(port, `http://${name}.shop/`)).status, 200);
  assert.equal((await ask(port, 'http://nobody.shop/')).status, 404);
  const before = await first.settled('web-1');
  assert.ok(before.traffic.responses > 0);

  await t.test('the other replica, which knew nothing of it, sends it nothing', async (t) => {
    relay.leadTo(second.port);
    const after = await second.settled('web-1', before.synced);
    t.diagnostic(`first replica ${JSON.stringify(before.traffic)}, second ${JSON.stringify(after.traffic)}`);
    assert.equal(after.traffic.responses, 0);
    for (const name of names) assert.equal((await ask(port, `http://${name}.shop/`)).status, 200);
    assert.equal((await second.settled('web-1', before.synced)).traffic.responses, 0);
  });

  await t.test('what it had learned elsewhere is known there now: a further proxy of the workload starts warm', async () => {
    const sibling = await startSidecar(t, home, 'web-2', relay);
    const { traffic } = await second.settled('web-2');
    for (const name of names) assert.equal((await ask(sibling, `http://${name}.shop/`)).status, 200);
    assert.deepEqual((await second.settled('web-2')).traffic, traffic);
  });

  await t.test('back again, too, nothing is sent', async () => {
    relay.leadTo(first.port);
    assert.equal((await first.settled('web-1', before.synced)).traffic.responses, 0);
  });
});
