/** A mesh of two namespaces, `tenant` and `neighbour`: in each a Service, a real Envoy that calls it, and the stream of the Service's own sidecar. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startWeft } from '../../../src/commands/demo/weft-process.js';
import { fetchStatus } from '../../../src/commands/status-fetch.js';
import type { Status } from '../../../src/commands/status-report.js';
import { encode } from '../../../src/envoy/encode.js';
import { bootstrap } from '../../../src/inject/bootstrap.js';
import { startEnvoy } from '../../../src/proxy/run.js';
import { urlOf } from '../../../src/serve/types.js';
import { type Cleanup, envoyBinary, temporaryFolder } from '../../support/envoy.js';
import { ask, startHttp } from '../../support/http.js';
import { backends, policy, put, service } from '../../support/manifests.js';
import { eventually } from '../../support/mesh.js';
import { readDelta } from '../../support/peer.js';
import { freePort, freePorts } from '../../support/port.js';
import { adsPath, connect, openBytes } from '../../support/xds-client.js';

/** One namespace. */
export interface Tenant {
  /** Where its Envoy listens as an HTTP proxy. */
  readonly port: number;
  /** Has its Service answer with this header `x-change`, and resolves when a caller sees that. */
  readonly change: (value: string) => Promise<void>;
  /** What the sidecar of its Service was sent since it began. */
  readonly sidecar: { readonly responses: number; readonly bytes: number };
}

/** Both, and Weft. */
export interface TwoTenants {
  readonly tenant: Tenant;
  readonly neighbour: Tenant;
  readonly status: () => Promise<Status>;
  /** Asks Weft for a sign of life. */
  readonly health: () => Promise<void>;
  /** Writes a file of the tenant's, whole. */
  readonly write: (text: string) => Promise<void>;
}

interface Frame {
  readonly home: string;
  readonly manifests: string;
  readonly xds: number;
}

/** Starts everything. */
export async function startTwoTenants(t: Cleanup): Promise<TwoTenants> {
  const home = await temporaryFolder(t);
  const manifests = join(home, 'mesh');
  await mkdir(manifests);
  const [xds = 0, adminPort = 0] = await freePorts(2);
  const namespaces = ['tenant', 'neighbour'] as const;
  for (const [index, namespace] of namespaces.entries()) await deploy(t, manifests, namespace, index);
  const weft = await startWeft({ manifests, port: xds, adminPort, logFile: join(home, 'weft.log'), flags: ['--ca', join(home, 'authority')] });
  t.after(weft.kill);
  const frame = { home, manifests, xds };
  const [tenant, neighbour] = await Promise.all([startTenant(t, frame, 'tenant'), startTenant(t, frame, 'neighbour')]);
  const admin = `127.0.0.1:${adminPort}`;
  return {
    ...{ tenant, neighbour, status: () => fetchStatus(admin) },
    health: async () => void (await (await fetch(`http://${admin}/healthz`)).text()),
    write: async (text) => {
      await writeFile(join(manifests, '.hostile.yaml'), text);
      await rename(join(manifests, '.hostile.yaml'), join(manifests, 'hostile.yaml'));
    },
  };
}

async function deploy(t: Cleanup, manifests: string, namespace: string, index: number): Promise<void> {
  const { port } = await startHttp(t, namespace);
  const ports = [{ name: 'http', port: 80 }];
  const objects = ['web', 'changing'].flatMap((name, number) => [
    service(namespace, name, `10.96.${index}.${number}`, ports),
    ...backends(namespace, name, 'http', [{ pod: `${name}-1`, address: '127.0.0.1', port }]),
  ]);
  await put(manifests, `services-${namespace}`, objects);
}

async function startTenant(t: Cleanup, frame: Frame, namespace: string): Promise<Tenant> {
  const port = await startCaller(t, frame, namespace);
  const change = async (value: string) => {
    const filters = [{ type: 'ResponseHeaderModifier', responseHeaderModifier: { set: [{ name: 'x-change', value }] } }];
    await put(frame.manifests, `change-${namespace}`, [policy(namespace, 'change', 'changing', { rules: [{ filters }] })]);
    await eventually(async () => (await ask(port, `http://changing.${namespace}/`)).headers['x-change'] === value);
  };
  return { port, change, sidecar: followSidecar(t, frame, namespace) };
}

async function startCaller(t: Cleanup, { home, xds }: Frame, namespace: string): Promise<number> {
  const explicitPort = await freePort();
  const proxy = { namespace, pod: 'caller', serviceAccount: 'caller', labels: {}, zone: '', client: 'explicit' as const, explicitPort };
  const adminSocket = join(home, `${namespace}.sock`);
  const configuration = bootstrap({ proxy, controlPlane: { host: '127.0.0.1', port: xds }, adminSocket, health: false });
  const envoy = await startEnvoy({ binary: await envoyBinary(), bootstrap: configuration, logFile: join(home, `${namespace}.log`) });
  t.after(envoy.stop);
  await envoy.ready();
  return explicitPort;
}

/** Takes and acknowledges everything, as the Envoy of a pod behind the Service would. Two of those cannot listen on one machine. */
function followSidecar(t: Cleanup, { xds }: Frame, namespace: string): Tenant['sidecar'] {
  const client = connect(xds);
  t.after(async () => client.close());
  const stream = openBytes(client, adsPath.delta);
  const seen = { responses: 0, bytes: 0 };
  const send = (fields: object) => stream.send(encode('envoy.service.discovery.v3.DeltaDiscoveryRequest', fields));
  const node = { id: `${namespace}/web-1`, metadata: { client: 'captured', serviceAccount: 'web' } };
  send({ node, type_url: urlOf('Cluster') });
  send({ type_url: urlOf('Listener') });
  const follow = async () => {
    for (;;) {
      const bytes = await stream.next();
      seen.responses++;
      seen.bytes += bytes.length;
      const { type, nonce } = readDelta(bytes);
      send({ type_url: urlOf(type), response_nonce: nonce });
    }
  };
  follow().catch(() => undefined);
  return seen;
}
