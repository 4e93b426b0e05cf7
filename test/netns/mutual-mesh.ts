/** A mesh with identities in network namespaces: Weft with an authority and a file of tokens, a meshed caller, a meshed server, and others. */
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { issueServing, issueSvid, makeAuthority, type Pair } from '../../src/identity/x509.js';
import { sdsFiles } from '../../src/inject/sds-files.js';
import { spiffeId } from '../../src/model/spiffe.js';
import type { RunningEnvoy } from '../../src/proxy/run.js';
import { validFor } from '../support/authority.js';
import type { Cleanup } from '../support/envoy.js';
import { type Manifest, put } from '../support/manifests.js';
import { createNetwork, type Network, type NetworkPod } from './network.js';
import { makeHome, type SidecarOptions, startSidecar, uid, weftIn } from './processes.js';

/** Of everything. */
export const namespace = 'shop';

/** What runs. */
export interface MutualMesh {
  readonly network: Network;
  readonly client: NetworkPod;
  readonly clientEnvoy: RunningEnvoy;
  /** Behind all Services. */
  readonly server: NetworkPod;
  readonly serverEnvoy: RunningEnvoy;
  /** Without a sidecar: behind `mixed`, and a caller from outside. */
  readonly plain: NetworkPod;
  /** Says that it is the sidecar of `vault`. */
  readonly impostor: NetworkPod;
  readonly manifests: string;
  /** The authority of the mesh. */
  readonly authority: Pair;
  /** A pod with a token that Weft does not know, and what its sidecar is started with. */
  readonly late: NetworkPod;
  readonly lateSidecar: SidecarOptions;
  /** Tells Weft of the token. */
  readonly admitLate: () => Promise<void>;
}

/** The pods' addresses. */
export const addresses = { client: '10.99.1.2', plain: '10.99.2.2', server: '10.99.3.2', late: '10.99.4.2', impostor: '10.99.5.2' } as const;

/** The server's other address. */
export const address6 = 'fd99::3:2';

/** The Services' addresses. */
export const vips = {
  web: '10.96.2.1',
  api: '10.96.2.2',
  db: '10.96.2.3',
  secure: '10.96.2.4',
  mixed: '10.96.2.5',
  locked: '10.96.2.6',
  bare: '10.96.2.7',
  pair: '10.96.2.8',
} as const;

/** The address of the Service `vault-PORT`, behind which the impostor is. */
export function vaults(port: number): string {
  return `10.96.3.${port - 9000}`;
}

interface Port {
  readonly name: string;
  readonly port: number;
  readonly targetPort?: number | string;
  /** That of the endpoints where `targetPort` is a name. */
  readonly number?: number;
  readonly appProtocol?: string;
}

/** A Pod; `ports` are those that it gives a name. */
export function podOf(name: string, address: string, isMeshed: boolean, ports: Readonly<Record<string, number>> = {}): Manifest {
  const containerPorts = Object.entries(ports).map(([portName, containerPort]) => ({ name: portName, containerPort }));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name, ...(name === 'server' || name === 'plain' ? { mixed: 'yes' } : {}) } },
    spec: { serviceAccountName: name, ...(isMeshed ? { initContainers: [{ name: 'weft-proxy' }] } : {}), containers: [{ name: 'app', ports: containerPorts }] },
    status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }, ...(name === 'server' ? [{ ip: address6 }] : [])] },
  };
}

/** A Service and its endpoints. */
export function serviceOf(
  name: string,
  clusterIP: string,
  ports: readonly Port[],
  selector: Manifest,
  pods: Readonly<Record<string, string>>,
): readonly Manifest[] {
  const declared = ports.map(({ number: _, ...port }) => port);
  const endpoints = Object.entries(pods).map(([pod, address]) => ({
    addresses: [address],
    conditions: { ready: true },
    targetRef: { kind: 'Pod', name: pod },
  }));
  const numberOf = ({ port, targetPort, number }: Port) => number ?? (typeof targetPort === 'number' ? targetPort : port);
  return [
    { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec: { clusterIP, selector, ports: declared } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-a`, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: Object.values(pods).some((address) => address.includes(':')) ? 'IPv6' : 'IPv4',
      ports: ports.map((port) => ({ name: port.name, port: numberOf(port) })),
      endpoints,
    },
  ];
}

/** `tls` for a Service. */
export function tlsPolicy(target: string, mode: string): Manifest {
  const targetRefs = [{ kind: 'Service', name: target }];
  return { apiVersion: 'weft.dev/v1alpha1', kind: 'TrafficPolicy', metadata: { name: `tls-${target}`, namespace }, spec: { targetRefs, tls: { mode } } };
}

function objects(): readonly Manifest[] {
  const { server, plain, impostor, client, late } = addresses;
  const onServer = (name: string, clusterIP: string, ...ports: readonly Port[]) => serviceOf(name, clusterIP, ports, { app: 'server' }, { server });
  const vault = (port: number) => serviceOf(`vault-${port}`, vaults(port), [{ name: 'http', port }], { app: 'vault' }, { vault: impostor });
  return [
    podOf('client', client, true),
    podOf('server', server, true, { sql: 3306 }),
    podOf('plain', plain, false),
    podOf('late', late, true),
    podOf('vault', impostor, true),
    ...onServer('web', vips.web, { name: 'http', port: 80, targetPort: 8080 }),
    ...onServer('api', vips.api, { name: 'api', port: 50_051, appProtocol: 'grpc' }),
    ...onServer('db', vips.db, { name: 'mysql', port: 3306, targetPort: 'sql', number: 3306 }),
    ...onServer('secure', vips.secure, { name: 'https', port: 8443 }),
    ...onServer('locked', vips.locked, { name: 'http', port: 80, targetPort: 8081 }),
    ...onServer('bare', vips.bare, { name: 'http', port: 80, targetPort: 8082 }),
    ...onServer('pair', vips.pair, { name: 'http', port: 80, targetPort: 8080 }, { name: 'tcp', port: 5672, targetPort: 5673 }),
    ...onServer('peers', 'None', { name: 'http', port: 8080 }),
    ...serviceOf('six', 'None', [{ name: 'http', port: 8080 }], { app: 'server' }, { server: address6 }),
    ...onServer('queue', 'None', { name: 'tcp', port: 5672, targetPort: 5673 }),
    ...serviceOf('mixed', vips.mixed, [{ name: 'http', port: 80, targetPort: 8080 }], { mixed: 'yes' }, { server, plain }),
    ...[9001, 9002, 9003].flatMap(vault),
    tlsPolicy('locked', 'Strict'),
    tlsPolicy('bare', 'Disabled'),
  ];
}

/** Starts it all. */
export async function startMutualMesh(t: Cleanup): Promise<MutualMesh> {
  const home = await makeHome(t);
  const manifests = join(home, 'mesh');
  await mkdir(manifests);
  await put(manifests, 'mesh', objects());
  const tokens = join(home, 'tokens');
  const writeTokens = (pods: readonly string[]) => writeFile(tokens, pods.map((name) => `${tokenOf(name)} ${namespace}/${name}\n`).join(''));
  await writeTokens(['client', 'server']);
  const network = await createNetwork(t);
  const client = await network.pod('client', addresses.client, {});
  const server = await network.pod('server', addresses.server, {});
  const plain = await network.pod('plain', addresses.plain);
  const impostor = await network.pod('impostor', addresses.impostor);
  const late = await network.pod('late', addresses.late, {});
  const ca = join(home, 'authority');
  const weft = await weftIn(t, network.gateway, home, ['--manifests', manifests, '--ca', ca, '--tokens', tokens]);
  await weft.start();
  const authority = { certificate: await readFile(join(ca, 'ca.crt'), 'utf8'), key: await readFile(join(ca, 'ca.key'), 'utf8') };
  await startApps(server, plain);
  const clientEnvoy = await startSidecar(t, client, await sidecarOf(home, 'client'));
  const serverEnvoy = await startSidecar(t, server, { ...(await sidecarOf(home, 'server')), health: { drainKey, probes } });
  return {
    ...{ network, client, clientEnvoy, server, serverEnvoy, plain, impostor, manifests, authority, late },
    lateSidecar: await sidecarOf(home, 'late'),
    admitLate: () => writeTokens(['client', 'server', 'late']),
  };
}

/** What the kubelet was told of the server. */
export const drainKey = 'k3yOfTheKubelet0';
/** The server's probes. */
export const probes = [
  { kind: 'http', port: 8081, path: '/healthz' },
  { kind: 'tcp', port: 3306, periodSeconds: 1 },
] as const;

const tokenOf = (name: string) => `the-token-of-${name}`;

/** As the kubelet would put a token into the pod. */
async function sidecarOf(home: string, pod: string): Promise<SidecarOptions> {
  const folder = join(home, pod);
  await mkdir(folder);
  const files = sdsFiles({ folder, serverName: '10.99.0.1' });
  await writeFile(join(folder, 'token'), tokenOf(pod));
  await writeFile(join(folder, 'token.json'), files['token.json']);
  await chown(folder, uid, uid);
  return { home, namespace, pod, tokenSecretFile: join(folder, 'token.json') };
}

async function startApps(server: NetworkPod, plain: NetworkPod): Promise<void> {
  const own = await issueServing(await makeAuthority(validFor()), ['secure.shop'], validFor());
  await Promise.all([
    ...[8080, 8081, 8082, 8083].map((port) => server.run('serveHttp', { name: 'server', port })),
    server.run('serveGrpc', { name: 'grpc', port: 50_051 }),
    server.run('serveBanner', { name: 'db', port: 3306 }),
    server.run('serveBanner', { name: 'queue', port: 5673 }),
    server.run('serveTls', { name: 'own', port: 8443, ...own }),
    plain.run('serveHttp', { name: 'plain', port: 8080 }),
  ]);
}

/** A certificate of a ServiceAccount by whatever authority. */
export function svid(authority: Pair, serviceAccount: string): Promise<Pair> {
  return issueSvid(authority, spiffeId('cluster.local', { namespace, serviceAccount }), validFor());
}
