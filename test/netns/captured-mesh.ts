/** A mesh in network namespaces: Weft on the bridge behind mutual TLS, a captured client, applications with and without a sidecar. */
import { execFile, spawn } from 'node:child_process';
import { chown, mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bootstrap } from '../../src/inject/bootstrap.js';
import type { RedirectOptions } from '../../src/inject/redirect.js';
import { type RunningEnvoy, startEnvoy } from '../../src/proxy/run.js';
import { type Cleanup, envoyBinary, temporaryFolder } from '../support/envoy.js';
import { backends, type Manifest, policy, put, service } from '../support/manifests.js';
import type { HttpCall, Seen } from './actions.js';
import { createNetwork, type Network, type NetworkPod } from './network.js';

/** The user that Envoy runs as. */
const uid = 1337;
const namespace = 'shop';

/** What runs. */
export interface CapturedMesh {
  readonly network: Network;
  /** The captured client. */
  readonly client: NetworkPod;
  readonly clientEnvoy: RunningEnvoy;
  /** Behind the Services, without a sidecar. */
  readonly plain: NetworkPod;
  /** Behind the Service `sided` and others, with one; its port 9100 is not captured. */
  readonly sided: NetworkPod;
  /** In the ranges of the mesh, and unknown to it. */
  readonly stranger: NetworkPod;
  readonly manifests: string;
  readonly killWeft: () => Promise<void>;
  readonly startWeft: () => Promise<void>;
}

/** How a mesh differs from the usual one. */
export interface CapturedOptions {
  /** How the client is captured. */
  readonly redirect?: RedirectOptions;
  /** Further arguments for the Envoys. */
  readonly args?: readonly string[];
  /** Further objects that are there from the start. */
  readonly objects?: readonly Manifest[];
}

/** Where the pods are. */
export const addresses = {
  client: '10.99.1.2',
  plain: { v4: '10.99.2.2', v6: 'fd99::2:2' },
  sided: { v4: '10.99.3.2', v6: 'fd99::3:2' },
};

/** For {@link CapturedOptions.args}: what Envoy drains it ends after a second, and not after ten minutes. */
export const quickDrain: readonly string[] = ['--drain-time-s', '1', '--drain-strategy', 'immediate'];

/** Starts it all. */
export async function startCapturedMesh(t: Cleanup, { redirect = {}, args = [], objects = [] }: CapturedOptions): Promise<CapturedMesh> {
  const home = await temporaryFolder(t);
  await chown(home, uid, uid);
  const manifests = join(home, 'mesh');
  await Promise.all([writeManifests(manifests), makeCertificates(home)]);
  await put(manifests, 'more', objects);
  const network = await createNetwork(t);
  const client = await network.pod('client', addresses.client, redirect);
  const plain = await network.pod('plain', addresses.plain.v4);
  const sided = await network.pod('sided', addresses.sided.v4, { excludeInboundPorts: [9100] });
  const stranger = await network.pod('stranger', '10.99.4.2');
  await startApps(plain, sided, stranger, network.gateway);
  const weft = await weftIn(t, network.gateway, home, manifests);
  await weft.start();
  const clientEnvoy = await startSidecar(t, home, client, 'client', args);
  await startSidecar(t, home, sided, 'sided', args);
  return { network, client, clientEnvoy, plain, sided, stranger, manifests, killWeft: weft.kill, startWeft: weft.start };
}

async function startApps(plain: NetworkPod, sided: NetworkPod, stranger: NetworkPod, outside: NetworkPod): Promise<void> {
  await Promise.all([
    plain.run('serveHttp', { name: 'plain', port: 8080 }),
    plain.run('serveHttp', { name: 'plain', port: 8081 }),
    plain.run('serveBanner', { name: 'db', port: 3306 }),
    plain.run('serveBanner', { name: 'late', port: 3307 }),
    plain.run('serveGrpc', { name: 'grpc', port: 50051 }),
    plain.run('serveUdp', { port: 53 }),
    sided.run('serveHttp', { name: 'sided', port: 8080 }),
    sided.run('serveBanner', { name: 'queue', port: 50051 }),
    sided.run('serveHttp', { name: 'metrics', port: 9100 }),
    stranger.run('serveHttp', { name: 'stranger', port: 80 }),
    stranger.run('serveBanner', { name: 'stranger', port: 9999 }),
    outside.run('serveHttp', { name: 'outside', port: 80 }),
    outside.run('serveBanner', { name: 'outside', port: 8025 }),
    outside.run('serveBanner', { name: 'apiserver', port: 6443 }),
    outside.run('serveBanner', { name: 'postgres', port: 5432 }),
    outside.run('serveHttp', { name: 'outside', port: 8080 }),
  ]);
}

async function writeManifests(folder: string): Promise<void> {
  await mkdir(folder);
  const plain = { pod: 'plain', address: addresses.plain.v4 };
  const http = { name: 'http', port: 80 };
  const redirect = { type: 'RequestRedirect', requestRedirect: { path: { type: 'ReplaceFullPath', replaceFullPath: '/new' } } };
  const rules = [{ matches: [{ path: { type: 'Exact', value: '/old' } }], filters: [redirect] }, { backendRefs: [{ name: 'web', port: 80 }] }];
  await put(folder, 'mesh', [
    service(namespace, 'web', '10.96.0.10', [http]),
    ...backends(namespace, 'web', 'http', [{ ...plain, port: 8080 }]),
    policy(namespace, 'web', 'web', { rules }),
    service(namespace, 'sided', '10.96.0.11', [http]),
    ...backends(namespace, 'sided', 'http', [{ pod: 'sided', address: addresses.sided.v4, port: 8080 }]),
    service(namespace, 'db', '10.96.0.12', [{ name: 'mysql', port: 3306 }]),
    ...backends(namespace, 'db', 'mysql', [{ ...plain, port: 3306 }]),
    service(namespace, 'grpc', '10.96.0.13', [{ name: 'api', port: 50051, appProtocol: 'grpc' }]),
    ...backends(namespace, 'grpc', 'api', [{ ...plain, port: 50051 }]),
    service(namespace, 'late', '10.96.0.14', [{ name: 'mysql', port: 3306 }]),
    ...backends(namespace, 'late', 'mysql', [{ ...plain, port: 3307 }]),
    service(namespace, 'odd', '10.96.0.15', [{ name: 'banner', port: 80, appProtocol: 'tcp' }]),
    ...backends(namespace, 'odd', 'banner', [{ ...plain, port: 3306 }]),
    service(namespace, 'peers', 'None', [{ name: 'http', port: 8080 }]),
    ...backends(namespace, 'peers', 'http', [
      { ...plain, port: 8080 },
      { pod: 'sided', address: addresses.sided.v4, port: 8080 },
    ]),
    service(namespace, 'queue', 'None', [{ name: 'tcp', port: 5672 }]),
    ...backends(namespace, 'queue', 'tcp', [{ pod: 'sided', address: addresses.sided.v4, port: 50051 }]),
    service(namespace, 'broker', '10.96.0.17', [{ name: 'amqp', port: 5672 }]),
    ...backends(namespace, 'broker', 'amqp', [{ pod: 'sided', address: addresses.sided.v4, port: 50051 }]),
    service(namespace, 'api', 'None', [http]),
    ...backends(namespace, 'api', 'http', [{ ...plain, port: 8081 }]),
    policy(namespace, 'api', 'api', {
      rules: [{ filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-api', value: 'yes' }] } }] }],
    }),
    policy(namespace, 'peers', 'peers', {
      rules: [
        {
          filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-peer', value: 'yes' }] } }],
          backendRefs: [{ name: 'peers', port: 8080 }],
        },
      ],
    }),
  ]);
}

/** An authority, the certificate of Weft, and that of the sidecars, which Envoy must be able to read. */
async function makeCertificates(folder: string): Promise<void> {
  const openssl = (...args: readonly string[]) => promisify(execFile)('openssl', [...args]);
  const made = (name: string) => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    join(folder, `${name}.key`),
    '-out',
    join(folder, `${name}.pem`),
  ];
  await openssl('req', '-x509', ...made('ca'), '-subj', '/CN=ca');
  const signed = ['-CA', join(folder, 'ca.pem'), '-CAkey', join(folder, 'ca.key'), '-addext', 'basicConstraints=CA:FALSE'];
  await openssl('req', '-x509', ...made('weft'), ...signed, '-subj', '/CN=weft', '-addext', 'subjectAltName=IP:10.99.0.1');
  await openssl('req', '-x509', ...made('proxy'), ...signed, '-subj', '/CN=proxy');
  await chown(join(folder, 'proxy.key'), uid, uid);
}

const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** `weft serve` in a namespace; the kernel ends it when this process is killed outright. */
async function weftIn(t: Cleanup, pod: NetworkPod, home: string, manifests: string) {
  const logFile = join(home, 'weft.log');
  const tls = ['--tls-cert', join(home, 'weft.pem'), '--tls-key', join(home, 'weft.key'), '--tls-client-ca', join(home, 'ca.pem')];
  const node = ['/usr/bin/setpriv', '--pdeathsig', 'KILL', '--', process.execPath];
  const args = ['netns', 'exec', pod.netns, ...node, main, 'serve', '--manifests', manifests, '--listen', `${pod.address}:15010`, ...tls];
  let kill: () => Promise<void> = async () => undefined;
  t.after(() => kill());
  return {
    kill: () => kill(),
    start: async () => {
      const log = await open(logFile, 'a');
      const child = spawn('ip', args, { stdio: ['ignore', 'ignore', log.fd] });
      await log.close();
      const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      kill = () => {
        child.kill('SIGKILL');
        return gone;
      };
      await Promise.race([untilReady(pod), gone.then(async () => Promise.reject(new Error(`weft serve ended: ${await readFile(logFile, 'utf8')}`)))]);
    },
  };
}

async function untilReady(pod: NetworkPod): Promise<void> {
  for (;;) {
    const answer = await pod.run('http', { address: '127.0.0.1', port: 15_014, path: '/readyz' }).catch(() => undefined);
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function startSidecar(t: Cleanup, home: string, { netns }: NetworkPod, pod: string, args: readonly string[]): Promise<RunningEnvoy> {
  const tls = { serverName: '10.99.0.1', caFile: join(home, 'ca.pem'), client: { certificateFile: join(home, 'proxy.pem'), keyFile: join(home, 'proxy.key') } };
  const configuration = bootstrap({
    proxy: { namespace, pod, serviceAccount: pod, labels: { app: pod }, zone: '', client: 'captured' },
    controlPlane: { host: '10.99.0.1', port: 15_010, tls },
    adminSocket: join(home, `${pod}.sock`),
    stats: 'all',
  });
  const envoy = await startEnvoy({ binary: await envoyBinary(), bootstrap: configuration, netns, uid, args, logFile: join(home, `${pod}.log`) });
  t.after(envoy.stop);
  await envoy.ready();
  return envoy;
}

/** What the app saw of a request of this pod; rejects unless it was answered with 200. */
export async function seen(pod: NetworkPod, call: HttpCall): Promise<Seen> {
  const { status, body } = await pod.run('http', call);
  if (status !== 200) throw new Error(`answered with ${status}: ${body}`);
  return JSON.parse(body);
}
