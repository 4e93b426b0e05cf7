/** A mesh with an authority in a folder and a file of tokens: two captured pods that call each other over mutual TLS. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sdsFiles } from '../../src/inject/sds-files.js';
import type { RunningEnvoy } from '../../src/proxy/run.js';
import type { Cleanup } from '../support/envoy.js';
import { backends, type Manifest, put, service } from '../support/manifests.js';
import { createNetwork, type Network, type NetworkPod } from './network.js';
import { makeHome, type SidecarOptions, startSidecar, type Weft, weftIn } from './processes.js';

/** Where the server is called: its Service, whose target is the same port. */
export const serverAddress = '10.96.0.20';
export const httpPort = 8080;
export const tcpPort = 9000;

/** What runs. */
export interface IdentityMesh {
  readonly network: Network;
  readonly client: NetworkPod;
  readonly server: NetworkPod;
  readonly envoys: readonly RunningEnvoy[];
  /** The folder of the authority. */
  readonly ca: string;
  readonly weft: Weft;
  /** What Weft has logged. */
  readonly log: () => Promise<string>;
  /** Writes the file of tokens: those of both pods, but for these. */
  readonly writeTokens: (without: readonly string[]) => Promise<void>;
}

const namespace = 'shop';
const pods = [
  { name: 'client', address: '10.99.1.2' },
  { name: 'server', address: '10.99.2.2' },
] as const;

/** Starts it; `flags` are further ones of `weft serve`. */
export async function startIdentityMesh(t: Cleanup, flags: readonly string[]): Promise<IdentityMesh> {
  const home = await makeHome(t);
  const [ca, tokens, manifests] = [join(home, 'authority'), join(home, 'tokens'), join(home, 'mesh')];
  await mkdir(manifests);
  await put(manifests, 'mesh', objects());
  const writeTokens = (without: readonly string[]) => {
    const lines = pods.flatMap(({ name }) => (without.includes(name) ? [] : [`${tokenOf(name)} ${namespace}/${name}\n`]));
    return writeFile(tokens, lines.join(''));
  };
  await writeTokens([]);
  const network = await createNetwork(t);
  const [client, server] = await Promise.all([network.pod('client', pods[0].address, {}), network.pod('server', pods[1].address, {})]);
  await server.run('serveHttp', { name: 'server', port: httpPort });
  await server.run('serveBanner', { name: 'server', port: tcpPort });
  const weft = await weftIn(t, network.gateway, home, ['--manifests', manifests, '--ca', ca, '--tokens', tokens, ...flags]);
  await weft.start();
  const sidecars = [client, server].map(async (pod, index) => startSidecar(t, pod, await sidecar(home, pods[index]?.name ?? '')));
  return { network, client, server, envoys: await Promise.all(sidecars), ca, weft, log: () => readFile(join(home, 'weft.log'), 'utf8'), writeTokens };
}

function tokenOf(pod: string): string {
  return `the-token-of-${pod}-which-nobody-guesses`;
}

/** With the token where the kubelet would put it. */
async function sidecar(home: string, pod: string): Promise<SidecarOptions> {
  const folder = join(home, `volume-${pod}`);
  await mkdir(folder);
  await writeFile(join(folder, 'token'), tokenOf(pod));
  const tokenSecretFile = join(folder, 'token.json');
  await writeFile(tokenSecretFile, sdsFiles({ folder, serverName: '10.99.0.1' })['token.json']);
  return { home, namespace, pod, tokenSecretFile };
}

function objects(): readonly Manifest[] {
  const ports = [
    { name: 'http', port: httpPort },
    { name: 'mysql', port: tcpPort, appProtocol: 'tcp' },
  ];
  const [, { name, address }] = pods;
  const slices = ports.flatMap((port) => backends(namespace, name, port.name, [{ pod: name, address, port: port.port }]));
  return [service(namespace, name, serverAddress, ports), ...slices.filter(({ kind }) => kind !== 'Pod').map(withNameOfItsOwn), ...pods.map(injectedPod)];
}

/** One slice for each port. */
function withNameOfItsOwn(slice: Manifest, index: number): Manifest {
  return { ...slice, metadata: { ...Object(slice['metadata']), name: `server-${index}` } };
}

function injectedPod({ name, address }: (typeof pods)[number]): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name } },
    spec: { serviceAccountName: name, initContainers: [{ name: 'weft-proxy' }], containers: [{ name: 'app' }] },
    status: { podIP: address, phase: 'Running' },
  };
}
