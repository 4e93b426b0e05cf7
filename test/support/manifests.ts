/** Kubernetes objects for tests, and the folder that Weft serves. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A Kubernetes object as it stands in a file. */
export type Manifest = Readonly<Record<string, unknown>>;

/** A port of a Service. */
export interface ManifestPort {
  readonly name: string;
  readonly port: number;
  readonly appProtocol?: string;
}

/** A process behind a Service. */
export interface Backend {
  /** The name of its Pod. */
  readonly pod: string;
  readonly address: string;
  readonly port: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A Service; `clusterIP: 'None'` makes it headless. */
export function service(namespace: string, name: string, clusterIP: string, ports: readonly ManifestPort[]): Manifest {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec: { clusterIP, selector: { app: name }, ports } };
}

/** The Pods of a Service and an EndpointSlice for each, all of them ready; `portName` is that of the Service's port. */
export function backends(namespace: string, name: string, portName: string, members: readonly Backend[]): readonly Manifest[] {
  return members.flatMap((member) => [podOf(namespace, name, member), sliceOf(namespace, name, portName, member)]);
}

function podOf(namespace: string, app: string, { pod, address, labels = {} }: Backend): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: pod, namespace, labels: { app, ...labels } },
    spec: { serviceAccountName: app },
    status: { podIP: address, phase: 'Running' },
  };
}

function sliceOf(namespace: string, app: string, portName: string, { pod, address, port }: Backend): Manifest {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${app}-${pod}`, namespace, labels: { 'kubernetes.io/service-name': app } },
    addressType: 'IPv4',
    ports: [{ name: portName, port }],
    endpoints: [{ addresses: [address], conditions: { ready: true }, targetRef: { kind: 'Pod', name: pod, namespace } }],
  };
}

/** What is behind a Service without a selector: addresses without Pods, in a slice that somebody wrote by hand. */
export function slice(namespace: string, name: string, port: { readonly name: string; readonly port: number }, addresses: readonly string[]): Manifest {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${name}-${addresses.some((address) => address.includes(':')) ? 'v6' : 'v4'}`,
      namespace,
      labels: { 'kubernetes.io/service-name': name },
    },
    addressType: addresses.some((address) => address.includes(':')) ? 'IPv6' : 'IPv4',
    ports: [port],
    endpoints: addresses.map((address) => ({ addresses: [address] })),
  };
}

/** The Mesh object. */
export function meshObject(spec: Manifest): Manifest {
  return { apiVersion: 'weft.dev/v1alpha1', kind: 'Mesh', metadata: { name: 'default' }, spec };
}

/** A TrafficPolicy for one Service of its own namespace. */
export function policy(namespace: string, name: string, target: string, spec: Manifest): Manifest {
  const targetRefs = [{ kind: 'Service', name: target }];
  return { apiVersion: 'weft.dev/v1alpha1', kind: 'TrafficPolicy', metadata: { name, namespace }, spec: { targetRefs, ...spec } };
}

/** Puts these objects, and no others, into the file `NAME.yaml` of the folder, whole, by a rename. */
export async function put(folder: string, name: string, objects: readonly Manifest[]): Promise<void> {
  const hidden = join(folder, `.${name}.yaml`);
  await writeFile(hidden, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  await rename(hidden, join(folder, `${name}.yaml`));
}

/** Takes the file `NAME.yaml` out of the folder. */
export function take(folder: string, name: string): Promise<void> {
  return rm(join(folder, `${name}.yaml`));
}
