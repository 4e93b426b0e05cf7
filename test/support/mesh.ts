/** A mesh on loopback for tests: Weft as a process of its own over a folder of YAML, and real Envoys as explicit proxies. */
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startWeft, type WeftProcess } from '../../src/commands/demo/weft-process.js';
import { fetchStatus } from '../../src/commands/status-fetch.js';
import type { Status } from '../../src/commands/status-report.js';
import { bootstrap } from '../../src/inject/bootstrap.js';
import { type RunningEnvoy, startEnvoy } from '../../src/proxy/run.js';
import type { ProxyRow } from '../../src/status/report.js';
import { type Cleanup, envoyBinary, temporaryFolder } from './envoy.js';
import { backends, type Manifest, policy, put, service, take } from './manifests.js';
import { freePort, freePorts } from './port.js';

/** The namespace of everything. */
export const namespace = 'shop';

/** A process behind a Service. */
export interface Member {
  /** Its port on 127.0.0.1. */
  readonly port: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A Service to write. */
export interface Deployment {
  readonly name: string;
  /** Its port; `http`, 80 unless given. */
  readonly port?: { readonly name: string; readonly port: number };
  readonly members: readonly Member[];
}

/** A sidecar, without a pod around it. */
export interface Sidecar {
  readonly name: string;
  /** Where it listens as an HTTP proxy. */
  readonly port: number;
  readonly envoy: RunningEnvoy;
}

/** A mesh under test. */
export interface Mesh {
  /** `host:port` of Weft's admin port. */
  readonly admin: string;
  /** The folder that Weft serves. */
  readonly manifests: string;
  /** What Weft has logged. */
  readonly log: () => Promise<string>;
  /** Puts a Service and its endpoints into the folder. */
  readonly deploy: (deployment: Deployment) => Promise<void>;
  /** Puts a policy for the Service of the same name into the folder. */
  readonly policy: (target: string, spec: Manifest) => Promise<void>;
  readonly removePolicy: (target: string) => Promise<void>;
  /** Starts Weft, again if it was killed; resolves when it serves. */
  readonly start: () => Promise<void>;
  /** Ends Weft at once, as a crash would. */
  readonly kill: () => Promise<void>;
  /** What Weft says of itself and of its proxies. */
  readonly status: () => Promise<Status>;
  /** Starts an Envoy with further arguments; resolves when it is live. Those of one `app` (its own name unless given) are replicas. */
  readonly sidecar: (name: string, args?: readonly string[], app?: string) => Promise<Sidecar>;
  /** Resolves when this proxy has answered everything it was sent, and has so many resources (any number unless given). */
  readonly settled: (name: string, resources?: number) => Promise<ProxyRow>;
}

/** An empty mesh; all that is started ends after the test. */
export async function createMesh(t: Cleanup): Promise<Mesh> {
  const home = await temporaryFolder(t);
  const manifests = join(home, 'mesh');
  await mkdir(manifests);
  const [xds = 0, adminPort = 0] = await freePorts(2);
  const admin = `127.0.0.1:${adminPort}`;
  let weft: WeftProcess | undefined;
  t.after(async () => weft?.kill());
  let addresses = 0;
  const status = () => fetchStatus(admin);
  return {
    admin,
    manifests,
    log: () => readFile(join(home, 'weft.log'), 'utf8'),
    deploy: (deployment) => put(manifests, deployment.name, objectsOf(deployment, `10.96.0.${++addresses}`)),
    policy: (target, spec) => put(manifests, `policy-${target}`, [policy(namespace, target, target, spec)]),
    removePolicy: (target) => take(manifests, `policy-${target}`),
    start: async () => {
      weft = await startWeft({ manifests, port: xds, adminPort, logFile: join(home, 'weft.log') });
    },
    kill: async () => weft?.kill(),
    status,
    sidecar: async (name, args = [], app = name) => {
      const explicitPort = await freePort();
      const proxy = { namespace, pod: name, serviceAccount: 'web', labels: { app }, zone: '', client: 'explicit' as const, explicitPort };
      const configuration = bootstrap({ proxy, controlPlane: { host: '127.0.0.1', port: xds }, adminSocket: join(home, `${name}.sock`), health: false });
      const envoy = await startEnvoy({ binary: await envoyBinary(), bootstrap: configuration, logFile: join(home, `${name}.log`), args });
      t.after(envoy.stop);
      await envoy.ready();
      return { name, port: explicitPort, envoy };
    },
    settled: (name, resources) =>
      eventually(async () => (await status()).proxies.find((row) => row.proxy === `${namespace}/${name}` && isSettled(row, resources))),
  };
}

function isSettled({ synced, pending }: ProxyRow, resources = synced): boolean {
  return synced > 0 && synced === resources && pending === 0;
}

function objectsOf({ name, port = { name: 'http', port: 80 }, members }: Deployment, clusterIP: string): readonly Manifest[] {
  const processes = members.map((member, index) => ({ pod: `${name}-${index}`, address: '127.0.0.1', ...member }));
  return [service(namespace, name, clusterIP, [port]), ...backends(namespace, name, port.name, processes)];
}

/** Asks again until there is an answer; nothing of what is asked can announce it. The test's own time limit ends it. */
export async function eventually<T>(ask: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    await once(AbortSignal.timeout(10), 'abort');
  }
}
