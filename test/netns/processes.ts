/** The processes of a mesh in network namespaces: Weft, and Envoys beside the apps. */
import { execFile, spawn } from 'node:child_process';
import { chown, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Bootstrap } from '../../src/envoy/types.js';
import { bootstrap } from '../../src/inject/bootstrap.js';
import type { HealthOptions } from '../../src/inject/bootstrap-health.js';
import { podAddress } from '../../src/inject/bootstrap-probes.js';
import { type RunningEnvoy, startEnvoy } from '../../src/proxy/run.js';
import { type Cleanup, envoyBinary, temporaryFolder } from '../support/envoy.js';
import type { NetworkPod } from './network.js';

/** The user that Envoy runs as. */
export const uid = 1337;

/** A folder that Envoy may use too, with the certificates that Weft and Envoys show each other. */
export async function makeHome(t: Cleanup): Promise<string> {
  const home = await temporaryFolder(t);
  await chown(home, uid, uid);
  await makeCertificates(home);
  return home;
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

/** A `weft serve` that can be killed and started. */
export interface Weft {
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
}

/** `weft serve` in a namespace; the kernel ends it when this process is killed outright. */
export async function weftIn(t: Cleanup, pod: NetworkPod, home: string, more: readonly string[]): Promise<Weft> {
  const logFile = join(home, 'weft.log');
  const tls = ['--tls-cert', join(home, 'weft.pem'), '--tls-key', join(home, 'weft.key'), '--tls-client-ca', join(home, 'ca.pem')];
  const node = ['/usr/bin/setpriv', '--pdeathsig', 'KILL', '--', process.execPath];
  const args = ['netns', 'exec', pod.netns, ...node, main, 'serve', ...more, '--listen', `${pod.address}:15010`, ...tls];
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

/** A sidecar to start. */
export interface SidecarOptions {
  /** {@link makeHome} made it. */
  readonly home: string;
  readonly namespace: string;
  /** Also its label `app`, and its ServiceAccount unless given. */
  readonly pod: string;
  readonly serviceAccount?: string;
  /** Path of an SDS file with its token. */
  readonly tokenSecretFile?: string;
  readonly health?: HealthOptions;
  /** Further arguments for Envoy. */
  readonly args?: readonly string[];
}

/** Starts an Envoy beside an app, and does not wait until it is live. */
export async function launchSidecar(t: Cleanup, { netns, address }: NetworkPod, options: SidecarOptions): Promise<RunningEnvoy> {
  const { home, namespace, pod, serviceAccount = pod, tokenSecretFile, health, args = [] } = options;
  const tls = { serverName: '10.99.0.1', caFile: join(home, 'ca.pem'), client: { certificateFile: join(home, 'proxy.pem'), keyFile: join(home, 'proxy.key') } };
  const configuration = bootstrap({
    proxy: { namespace, pod, serviceAccount, labels: { app: pod }, zone: '', client: 'captured' },
    controlPlane: { host: '10.99.0.1', port: 15_010, tls, tokenSecretFile },
    adminSocket: join(home, `${pod}.sock`),
    health,
    stats: 'all',
  });
  const here: Bootstrap = JSON.parse(JSON.stringify(configuration).replaceAll(podAddress, address));
  const envoy = await startEnvoy({ binary: await envoyBinary(), bootstrap: here, netns, uid, args, logFile: join(home, `${pod}.log`) });
  t.after(envoy.stop);
  return envoy;
}

/** Starts an Envoy beside an app; resolves when it is live. */
export async function startSidecar(t: Cleanup, pod: NetworkPod, options: SidecarOptions): Promise<RunningEnvoy> {
  const envoy = await launchSidecar(t, pod, options);
  await envoy.ready();
  return envoy;
}
