/** A real API server over a real etcd, on loopback, for tests. There are no controllers: nothing fills in what was left out, namespaces do not go away. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubeClient } from '../../src/kubernetes/api.js';
import { connect } from '../../src/kubernetes/connect.js';
import { isPlain, textOf } from '../../src/kubernetes/plain.js';
import { type Daemon, startDaemon } from './daemon.js';
import type { Cleanup } from './envoy.js';
import { freePorts } from './port.js';

/** What a token is to be good for. */
export interface TokenOptions {
  /** The API server's own unless given. */
  readonly audiences?: readonly string[];
  /** At least 600. */
  readonly expirationSeconds?: number;
  /** The Pod that it is bound to. */
  readonly pod?: { readonly name: string; readonly uid: string };
}

/** Somebody who asks the API server: the bearer of a token, or a user by name (`system:serviceaccount:NAMESPACE:NAME`, or any). */
export type Caller = { readonly token: string } | { readonly user: string };

/** A running API server. */
export interface Apiserver {
  /** May do everything. */
  readonly client: KubeClient;
  /** The path of a kubeconfig that may do everything. */
  readonly kubeconfig: string;
  readonly url: string;
  /** The path of the certificate of the authority. */
  readonly authority: string;
  readonly clientAs: (caller: Caller) => Promise<KubeClient>;
  /** The path of a kubeconfig for somebody. */
  readonly kubeconfigAs: (caller: Caller) => Promise<string>;
  /** A token of a ServiceAccount, which must exist. */
  readonly token: (namespace: string, serviceAccount: string, options?: TokenOptions) => Promise<string>;
  /** Makes a namespace and its ServiceAccount `default`, without which it takes no Pods. */
  readonly namespace: (name: string, labels?: Readonly<Record<string, string>>) => Promise<void>;
  /** Ends the API server at once; etcd stays. */
  readonly kill: () => Promise<void>;
  /** Starts it again, after `kill`; resolves when it is ready. */
  readonly start: () => Promise<void>;
  /** Holds the API server, as a machine does that hangs: connections stay open and nothing is answered. */
  readonly stop: () => void;
  readonly continue: () => void;
  /** Makes etcd forget all but the present, so that no watch can go on from an earlier version. */
  readonly compact: () => Promise<void>;
}

interface Place {
  readonly folder: string;
  readonly etcd: string;
  readonly url: string;
  readonly adminToken: string;
  readonly apiserverFlags: readonly string[];
}

/** Starts etcd and kube-apiserver out of the folder that KUBEBUILDER_ASSETS names; both are gone after the test. */
export async function startApiserver(test: Cleanup, flags: readonly string[] = []): Promise<Apiserver> {
  const programs = { etcd: binary('etcd'), apiserver: binary('kube-apiserver') };
  const folder = await mkdtemp(join(tmpdir(), 'weft-apiserver-'));
  const running: Daemon[] = [];
  test.after(async () => {
    await Promise.all(running.map((daemon) => daemon.kill()));
    await rm(folder, { recursive: true, force: true });
  });
  const place = await prepare(folder, flags);
  const etcd = startDaemon(programs.etcd, await etcdFlags(place));
  let apiserver = startDaemon(programs.apiserver, place.apiserverFlags);
  running.push(etcd, apiserver);
  const check = () => {
    etcd.assertRunning();
    apiserver.assertRunning();
  };
  const kubeconfig = await writeKubeconfig(place, { token: place.adminToken });
  await untilReady(kubeconfig, check);
  const client = connect({ kubeconfig });
  const kubeconfigAs = (caller: Caller) => writeKubeconfig(place, caller);
  return {
    client,
    kubeconfig,
    url: place.url,
    authority: join(place.folder, 'apiserver.crt'),
    kubeconfigAs,
    clientAs: async (caller) => connect({ kubeconfig: await kubeconfigAs(caller) }),
    token: (namespace, serviceAccount, options) => requestToken(client, namespace, serviceAccount, options),
    namespace: (name, labels) => makeNamespace(client, name, labels),
    kill: () => apiserver.kill(),
    start: async () => {
      apiserver = startDaemon(programs.apiserver, place.apiserverFlags);
      running.push(apiserver);
      await untilReady(kubeconfig, check);
    },
    stop: () => apiserver.signal('SIGSTOP'),
    continue: () => apiserver.signal('SIGCONT'),
    compact: () => compact(place.etcd),
  };
}

function binary(name: string): string {
  const folder = process.env['KUBEBUILDER_ASSETS'];
  if (!folder) throw new Error(`KUBEBUILDER_ASSETS is not set: it names the folder with ${name}; npm test builds the binaries where Go is installed`);
  return join(folder, name);
}

async function prepare(folder: string, flags: readonly string[]): Promise<Place> {
  const [etcdPort, apiserverPort] = await freePorts(2);
  const adminToken = randomBytes(16).toString('hex');
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' });
  await writeFile(join(folder, 'service-account.key'), key);
  await writeFile(join(folder, 'tokens.csv'), `${adminToken},admin,admin,"system:masters"\n`);
  const etcd = `http://127.0.0.1:${etcdPort}`;
  const apiserverFlags = [
    `--etcd-servers=${etcd}`,
    ...['--bind-address=127.0.0.1', `--secure-port=${apiserverPort}`, '--endpoint-reconciler-type=none', '--advertise-address=127.0.0.1'],
    ...[`--cert-dir=${folder}`, '--service-cluster-ip-range=10.0.0.0/16', '--etcd-compaction-interval=0', '--allow-privileged=true'],
    ...['--authorization-mode=RBAC', `--token-auth-file=${join(folder, 'tokens.csv')}`, '--service-account-issuer=https://kubernetes.default.svc'],
    ...[`--service-account-signing-key-file=${join(folder, 'service-account.key')}`, `--service-account-key-file=${join(folder, 'service-account.key')}`],
    ...flags,
  ];
  return { folder, etcd, url: `https://127.0.0.1:${apiserverPort}`, adminToken, apiserverFlags };
}

async function etcdFlags({ folder, etcd }: Place): Promise<readonly string[]> {
  const [peerPort] = await freePorts(1);
  const peer = `http://127.0.0.1:${peerPort}`;
  return [
    ...[`--data-dir=${join(folder, 'etcd')}`, '--unsafe-no-fsync', '--log-level=warn', '--name=test', `--initial-cluster=test=${peer}`],
    ...[`--listen-client-urls=${etcd}`, `--advertise-client-urls=${etcd}`, `--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`],
  ];
}

/** The API server writes its certificate as it starts, so that each attempt reads it anew. */
async function untilReady(kubeconfig: string, check: () => void): Promise<void> {
  const ask = () => connect({ kubeconfig }).request({ method: 'GET', path: '/readyz', timeoutMs: 2000 });
  while ((await ask().catch(String)) !== 'ok') {
    check();
    await delay(50);
  }
}

let kubeconfigs = 0;

async function writeKubeconfig({ folder, url, adminToken }: Place, caller: Caller): Promise<string> {
  const path = join(folder, `kubeconfig-${kubeconfigs++}`);
  const user = 'token' in caller ? { token: caller.token } : { token: adminToken, as: caller.user };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority': 'apiserver.crt' } }],
    users: [{ name: 'test', user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  };
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

async function requestToken(client: KubeClient, namespace: string, serviceAccount: string, options: TokenOptions = {}): Promise<string> {
  const boundObjectRef = options.pod && { apiVersion: 'v1', kind: 'Pod', ...options.pod };
  const spec = { audiences: options.audiences, expirationSeconds: options.expirationSeconds, boundObjectRef };
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`;
  const answer = await client.request({ method: 'POST', path, body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec } });
  const status = isPlain(answer) ? answer['status'] : undefined;
  return textOf(status, 'token');
}

async function makeNamespace(client: KubeClient, name: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
  await client.request({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name, labels } } });
  await client.request({ method: 'POST', path: `/api/v1/namespaces/${name}/serviceaccounts`, body: { metadata: { name: 'default' } } });
}

/** By etcd's JSON gateway. */
async function compact(etcd: string): Promise<void> {
  const status = await post(`${etcd}/v3/maintenance/status`, {});
  const header = isPlain(status) ? status['header'] : undefined;
  await post(`${etcd}/v3/kv/compaction`, { revision: textOf(header, 'revision'), physical: true });
}

async function post(url: string, body: object): Promise<unknown> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response.json();
}
