/** Sets the stage of the demo: a copy of examples/shop with free ports, the applications, Weft, and two sidecars. */
import { copyFile, mkdir, mkdtemp, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bootstrap } from '../../inject/bootstrap.js';
import { type RunningEnvoy, startEnvoy } from '../../proxy/run.js';
import { type App, startApp } from './apps.js';
import { type Client, createClient } from './load.js';
import { freePorts } from './ports.js';
import { startWeft, type WeftOptions, type WeftProcess } from './weft-process.js';

/** Everything that runs. */
export interface Stage {
  /** The folder that Weft serves; files put here take effect at once. */
  readonly manifests: string;
  readonly apps: ReadonlyMap<string, App>;
  readonly clients: readonly Client[];
  readonly envoys: readonly RunningEnvoy[];
  readonly weft: () => WeftProcess;
  /** Starts Weft again after it was killed; resolves when it serves. */
  readonly restartWeft: () => Promise<void>;
  /** Puts a policy of examples/shop/policies into the folder, whole, by a rename. */
  readonly applyPolicy: (name: string) => Promise<void>;
  readonly adminPort: number;
  readonly close: () => Promise<void>;
}

const shop = fileURLToPath(new URL('../../../../examples/shop/', import.meta.url));

/** The processes of examples/shop/pods.yaml, with the ports that stand there. */
const processes = [
  { name: 'reviews-v1-a', port: 19081 },
  { name: 'reviews-v1-b', port: 19082 },
  { name: 'reviews-v2-a', port: 19083 },
  { name: 'ratings-v1-a', port: 19084, failEvery: 2 },
  { name: 'catalog-v1-a', port: 19085 },
];

const sidecars = ['web-1', 'web-2'];

/** Starts it all with this Envoy. */
export async function setStage(envoy: string): Promise<Stage> {
  const home = await mkdtemp(join(tmpdir(), 'weft-demo-'));
  const manifests = join(home, 'mesh');
  const ports = await freePorts(processes.length + sidecars.length + 2);
  const port = (index: number) => ports[index] ?? 0;
  const [xds, adminPort] = [port(processes.length + sidecars.length), port(processes.length + sidecars.length + 1)];
  await copyManifests(manifests, new Map(processes.map((process, index) => [process.port, port(index)])));
  const apps = new Map(
    await Promise.all(processes.map(async ({ name, failEvery }, index) => [name, await startApp({ port: port(index), name, failEvery })] as const)),
  );
  const options: WeftOptions = { manifests, port: xds, adminPort, logFile: join(home, 'weft.log') };
  let weft = await startWeft(options);
  const envoys = await Promise.all(sidecars.map((pod, index) => startSidecar(envoy, home, pod, port(processes.length + index), xds)));
  const clients = sidecars.map((_, index) => createClient(port(processes.length + index)));
  return {
    manifests,
    apps,
    clients,
    envoys,
    adminPort,
    weft: () => weft,
    restartWeft: async () => {
      weft = await startWeft(options);
    },
    applyPolicy: async (name) => {
      await copyFile(join(shop, 'policies', `${name}.yaml`), join(manifests, `.${name}.yaml`));
      await rename(join(manifests, `.${name}.yaml`), join(manifests, `${name}.yaml`));
    },
    close: async () => {
      for (const client of clients) client.close();
      await Promise.all([weft.stop(), ...envoys.map((running) => running.stop()), ...[...apps.values()].map((app) => app.close())]);
    },
  };
}

async function copyManifests(folder: string, ports: ReadonlyMap<number, number>): Promise<void> {
  await mkdir(folder, { recursive: true });
  await copyFile(join(shop, 'shop.yaml'), join(folder, 'shop.yaml'));
  const pods = await readFile(join(shop, 'pods.yaml'), 'utf8');
  await writeFile(
    join(folder, 'pods.yaml'),
    pods.replace(/port: (\d+)/g, (_, written: string) => `port: ${ports.get(Number(written)) ?? written}`),
  );
}

async function startSidecar(binary: string, home: string, pod: string, explicitPort: number, xds: number): Promise<RunningEnvoy> {
  const proxy = { namespace: 'shop', pod, serviceAccount: 'web', labels: { app: 'web' }, zone: '', client: 'explicit' as const, explicitPort };
  const adminSocket = join(home, `${pod}.sock`);
  const configuration = bootstrap({ proxy, controlPlane: { host: '127.0.0.1', port: xds }, adminSocket, health: false });
  const envoy = await startEnvoy({ binary, bootstrap: configuration, logFile: join(home, `${pod}.log`) });
  await envoy.ready();
  return envoy;
}
