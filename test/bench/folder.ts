/** The folder of ordinary Kubernetes YAML that the server watches, and the changes that are made to it. */

import { renameSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { allNamespaces, type PlannedService, proxyAt, type Size, serviceAt, zoneOf } from './plan.js';

/** A change that is written but not yet visible. */
export interface Prepared {
  /** Makes it visible in one step. */
  readonly commit: () => void;
}

/** Writes the mesh of this size into an empty folder: one file for each Service, its endpoints and its Pods. */
export async function writeFolder(folder: string, size: Size): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'namespaces.yaml'), allNamespaces.map(namespaceYaml).join('---\n'));
  for (let index = 0; index < size.services; index++) {
    const service = serviceAt(size, index);
    await writeFile(join(folder, serviceFile(service)), serviceYaml(service));
    await writeFile(join(folder, endpointsFile(service)), endpointsYaml(service));
    await writeFile(join(folder, `${service.name}.pods.yaml`), service.addresses.map((address, number) => podYaml(service, number, address)).join('---\n'));
  }
  const clients = Array.from({ length: size.proxies }, (_, index) => proxyAt(size, index));
  const yaml = clients.map(({ namespace, pod, app, address }) => podOf({ namespace, pod, app, address, zone: zoneOf(0) }));
  await writeFile(join(folder, 'clients.yaml'), yaml.join('---\n'));
}

/** Replaces the first endpoint of a Service; the others stay. */
export function prepareEndpoint(folder: string, service: PlannedService, address: string): Prepared {
  return prepare(folder, endpointsFile(service), endpointsYaml({ ...service, addresses: [address, ...service.addresses.slice(1)] }));
}

/** A Service that was not there before, with its endpoints. */
export function prepareService(folder: string, service: PlannedService): Prepared {
  return prepare(folder, serviceFile(service), `${serviceYaml(service)}---\n${endpointsYaml(service)}`);
}

/** A TrafficPolicy whose rule matches a header with this value, which is how its arrival is recognised. */
export function preparePolicy(folder: string, { namespace, name }: PlannedService, marker: string): Prepared {
  const yaml = `apiVersion: weft.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  targetRefs:
  - {group: "", kind: Service, name: ${name}}
  rules:
  - name: marked
    matches:
    - headers: [{type: Exact, name: x-marker, value: ${marker}}]
    backendRefs: [{name: ${name}, port: 80}]
`;
  return prepare(folder, `${name}.policy.yaml`, yaml);
}

/** Readers pass over names that begin with a dot; the rename shows the file whole. */
function prepare(folder: string, file: string, yaml: string): Prepared {
  const hidden = join(folder, `.${file}.new`);
  writeFileSync(hidden, yaml);
  return { commit: () => renameSync(hidden, join(folder, file)) };
}

function serviceFile({ name }: PlannedService): string {
  return `${name}.service.yaml`;
}

function endpointsFile({ name }: PlannedService): string {
  return `${name}.endpoints.yaml`;
}

function namespaceYaml(name: string): string {
  return `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}, labels: {weft.dev/inject: "true"}}\n`;
}

function serviceYaml({ namespace, name, clusterIP }: PlannedService): string {
  return `apiVersion: v1
kind: Service
metadata:
  name: ${name}
  namespace: ${namespace}
  labels: {app: ${name}}
spec:
  type: ClusterIP
  clusterIP: ${clusterIP}
  clusterIPs: [${clusterIP}]
  selector: {app: ${name}}
  ports:
  - {name: http, port: 80, protocol: TCP, targetPort: 8080}
  - {name: tcp, port: 9000, protocol: TCP, targetPort: 9000}
`;
}

function endpointsYaml({ namespace, name, addresses }: PlannedService): string {
  const endpoints = addresses.map(
    (address, number) => `- addresses: [${address}]
  conditions: {ready: true, serving: true, terminating: false}
  nodeName: node-${number}
  zone: ${zoneOf(number)}
  targetRef: {kind: Pod, name: ${name}-${number}, namespace: ${namespace}}
`,
  );
  return `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: ${name}-ep
  namespace: ${namespace}
  labels: {kubernetes.io/service-name: ${name}}
addressType: IPv4
ports:
- {name: http, port: 8080, protocol: TCP}
- {name: tcp, port: 9000, protocol: TCP}
endpoints:
${endpoints.join('')}`;
}

function podYaml({ namespace, name }: PlannedService, number: number, address: string): string {
  return podOf({ namespace, pod: `${name}-${number}`, app: name, address, zone: zoneOf(number) });
}

interface PodFields {
  readonly namespace: string;
  readonly pod: string;
  readonly app: string;
  readonly address: string;
  readonly zone: string;
}

function podOf({ namespace, pod, app, address, zone }: PodFields): string {
  return `apiVersion: v1
kind: Pod
metadata:
  name: ${pod}
  namespace: ${namespace}
  labels: {app: ${app}, version: v1, topology.kubernetes.io/zone: ${zone}}
spec:
  serviceAccountName: ${app}
  nodeName: node-${zone}
  containers:
  - name: app
    image: app:1
    ports: [{name: http, containerPort: 8080}, {name: tcp, containerPort: 9000}]
status:
  phase: Running
  podIP: ${address}
  podIPs: [{ip: ${address}}]
  conditions: [{type: Ready, status: "True"}]
`;
}
