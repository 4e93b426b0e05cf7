/** Clusters and load assignments by name. */
import type { Mesh } from '../model/mesh.js';
import { keyOf } from '../model/name.js';
import type { Service, ServicePort } from '../model/service.js';
import { type ClusterInput, serviceCluster } from './cluster.js';
import type { Request } from './destination.js';
import { effectiveFor } from './effective.js';
import { loadAssignment } from './endpoints.js';
import { inbound, nobody, nowhere, passthrough, refusedAddress, unknownAddress } from './fixed.js';
import { createMemo } from './memo.js';
import { type ClusterKey, clusterName, inboundCluster, nowhereCluster, parseClusterName, passthroughCluster } from './names.js';
import { nothing, type Part, withDiagnostics } from './part.js';
import { resolveAddress } from './resolve.js';

type ServiceKey = Extract<ClusterKey, { kind: 'service' }>;
type AddressKey = Exclude<ClusterKey, { kind: 'service' }>;

const unknown = createMemo<Part>();
const refused = createMemo<Part>();

/** The Cluster of this name, in whichever form it is. */
export function cluster(request: Request, name: string): Part {
  if (name === passthroughCluster) return passthrough;
  if (name === inboundCluster) return inbound;
  if (name === nowhereCluster) return nowhere;
  const key = parseClusterName(name);
  if (!key) return nothing;
  return key.kind === 'service' ? ofService(request, name, key) : ofAddress(request, name, key);
}

function ofService(request: Request, name: string, key: ServiceKey): Part {
  const found = portOf(request.mesh, key);
  return found ? clusterFor(request, { name, ...found, source: { kind: 'eds', serviceName: name }, raw: false }) : nothing;
}

/** A pod's cluster has the pod as its endpoint. TCP to a Service's address shares the load assignment of the Service's port. */
function ofAddress(request: Request, name: string, key: AddressKey): Part {
  const found = resolveAddress(request.mesh, key.address, key.port);
  const raw = key.kind === 'tcp';
  if (found.kind === 'unknown') return raw ? ofUnknownAddress(request, name) : nothing;
  const { service, port } = found;
  if (found.kind === 'pod') return clusterFor(request, { name, service, port, source: { kind: 'static', address: key.address, port: key.port }, raw });
  return raw ? clusterFor(request, { name, service, port, source: { kind: 'eds', serviceName: clusterName(service, port.port) }, raw }) : nothing;
}

function ofUnknownAddress({ mesh }: Request, name: string): Part {
  return mesh.config().egress === 'RegistryOnly' ? refused([name], () => refusedAddress(name)) : unknown([name], () => unknownAddress(name));
}

function clusterFor({ mesh, audience }: Request, input: Omit<ClusterInput, 'effective' | 'client'>): Part {
  const { effective, diagnostics } = effectiveFor(mesh, input.service, input.port, audience.namespace);
  return withDiagnostics(serviceCluster({ ...input, effective, client: audience.client }), diagnostics);
}

/** The ClusterLoadAssignment of this name: that of a Service's port, or of some of its pods. */
export function endpoints({ mesh, audience }: Request, name: string): Part {
  if (name === nowhereCluster) return nobody;
  const key = parseClusterName(name);
  const found = key?.kind === 'service' ? portOf(mesh, key) : undefined;
  if (key?.kind !== 'service' || !found) return nothing;
  const { effective } = effectiveFor(mesh, found.service, found.port, audience.namespace);
  return loadAssignment({ name, ...found, endpoints: mesh.endpoints(found.service.key), labels: key.labels, effective, zone: audience.zone });
}

function portOf(mesh: Mesh, key: ServiceKey): { readonly service: Service; readonly port: ServicePort } | undefined {
  const service = mesh.service(keyOf(key.namespace, key.name));
  const port = service?.ports.find((candidate) => candidate.port === key.port);
  return service && port ? { service, port } : undefined;
}
