/** A mesh in network namespaces: Weft on the bridge behind mutual TLS, a captured client, applications with and without a sidecar. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RedirectOptions } from '../../src/inject/redirect.js';
import type { RunningEnvoy } from '../../src/proxy/run.js';
import type { Cleanup } from '../support/envoy.js';
import { backends, type Manifest, policy, put, service } from '../support/manifests.js';
import type { HttpCall, Seen } from './actions.js';
import { createNetwork, type Network, type NetworkPod } from './network.js';
import { makeHome, startSidecar, weftIn } from './processes.js';

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
  const home = await makeHome(t);
  const manifests = join(home, 'mesh');
  await writeManifests(manifests);
  await put(manifests, 'more', objects);
  const network = await createNetwork(t);
  const client = await network.pod('client', addresses.client, redirect);
  const plain = await network.pod('plain', addresses.plain.v4);
  const sided = await network.pod('sided', addresses.sided.v4, { excludeInboundPorts: [9100] });
  const stranger = await network.pod('stranger', '10.99.4.2');
  await startApps(plain, sided, stranger, network.gateway);
  const weft = await weftIn(t, network.gateway, home, ['--manifests', manifests]);
  await weft.start();
  const clientEnvoy = await startSidecar(t, client, { home, namespace, pod: 'client', args });
  await startSidecar(t, sided, { home, namespace, pod: 'sided', args });
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

/** What the app saw of a request of this pod; rejects unless it was answered with 200. */
export async function seen(pod: NetworkPod, call: HttpCall): Promise<Seen> {
  const { status, body } = await pod.run('http', call);
  if (status !== 200) throw new Error(`answered with ${status}: ${body}`);
  return JSON.parse(body);
}
