/** Clusters and load assignments by name. */
import type { Mesh } from '../model/mesh.js';
import { keyOf } from '../model/name.js';
import type { Service, ServicePort } from '../model/service.js';
import { type ClusterInput, type EndpointSource, serviceCluster } from './cluster.js';
import type { Request } from './destination.js';
import { effectiveFor } from './effective.js';
import { loadAssignment } from './endpoints.js';
import { inbound, inboundPort, nobody, nowhere, passthrough, refusedAddress, unknownAddress } from './fixed.js';
import { createMemo } from './memo.js';
import { idsOf, isForMutualTls, isMutual, takesMutualTls } from './mutual-tls.js';
import { type ClusterKey, clusterName, inboundCluster, nowhereCluster, parseClusterName, parseInboundPort, passthroughCluster } from './names.js';
import { nothing, type Part, withDiagnostics } from './part.js';
import { type PodDestination, resolveAddress, type UnknownDestination } from './resolve.js';
import { collector, collectorCluster } from './telemetry-collector.js';

type ServiceKey = Extract<ClusterKey, { kind: 'service' }>;
type AddressKey = Exclude<ClusterKey, { kind: 'service' }>;

const inbounds = createMemo<Part>();
const unknown = createMemo<Part>();
const refused = createMemo<Part>();
const collectors = createMemo<Part>();

/** The Cluster of this name, in whichever form it is. */
export function cluster(request: Request, name: string): Part {
  if (name === passthroughCluster) return passthrough;
  if (name === inboundCluster) return inbound;
  if (name === nowhereCluster) return nowhere;
  if (name === collectorCluster) return collectorOf(request);
  const own = parseInboundPort(name);
  if (own !== undefined) return request.settings.mtls ? inbounds([own], () => inboundPort(own)) : nothing;
  const key = parseClusterName(name);
  if (!key) return nothing;
  return key.kind === 'service' ? ofService(request, name, key) : ofAddress(request, name, key);
}

function collectorOf({ mesh }: Request): Part {
  const { telemetry } = mesh.config();
  return collectors([telemetry], () => collector(telemetry));
}

function ofService(request: Request, name: string, key: ServiceKey): Part {
  const found = portOf(request.mesh, key);
  return found ? clusterFor(request, { name, ...found, source: { kind: 'eds', serviceName: name }, raw: false }) : nothing;
}

/** A pod's cluster has the pod as its endpoint. TCP to a Service's address shares the load assignment of the Service's port. */
function ofAddress(request: Request, name: string, key: AddressKey): Part {
  const found = resolveAddress(request, key.address, key.port);
  const raw = key.kind === 'tcp';
  if (found.kind === 'unknown') return raw ? ofUnknownAddress(request, name, found) : nothing;
  const { service, port } = found;
  if (found.kind === 'pod') return clusterFor(request, { name, service, port, source: atPod(request, found), raw });
  return raw ? clusterFor(request, { name, service, port, source: { kind: 'eds', serviceName: clusterName(service, port.port) }, raw }) : nothing;
}

function ofUnknownAddress({ mesh }: Request, name: string, { isDeclared }: UnknownDestination): Part {
  return !isDeclared && mesh.config().egress === 'RegistryOnly' ? refused([name], () => refusedAddress(name)) : unknown([name], () => unknownAddress(name));
}

function atPod(request: Request, { service, port, address, targetPort, endpoint }: PodDestination): Extract<EndpointSource, { kind: 'static' }> {
  const { effective } = effectiveFor(request.mesh, service, port, request.audience.namespace);
  return { kind: 'static', address, port: targetPort, isMeshed: isMutual(request, service, effective) && takesMutualTls(service, port, endpoint) };
}

function clusterFor(request: Request, input: Omit<ClusterInput, 'effective' | 'client' | 'ids'>): Part {
  const { mesh, audience } = request;
  const { effective, diagnostics } = effectiveFor(mesh, input.service, input.port, audience.namespace);
  const ids = isForMutualTls(request, input.service) ? idsOf(mesh, input.service) : [];
  return withDiagnostics(serviceCluster({ ...input, effective, client: audience.client, ids }), diagnostics);
}

/** The ClusterLoadAssignment of this name: that of a Service's port, or of some of its pods. */
export function endpoints(request: Request, name: string): Part {
  const { mesh, audience } = request;
  if (name === nowhereCluster) return nobody;
  const key = parseClusterName(name);
  const found = key?.kind === 'service' ? portOf(mesh, key) : undefined;
  if (key?.kind !== 'service' || !found) return nothing;
  const { effective } = effectiveFor(mesh, found.service, found.port, audience.namespace);
  const all = mesh.endpoints(found.service.key);
  return loadAssignment({
    name,
    ...found,
    endpoints: all,
    labels: key.labels,
    effective,
    zone: audience.zone,
    isMutual: isMutual(request, found.service, effective),
  });
}

function portOf(mesh: Mesh, key: ServiceKey): { readonly service: Service; readonly port: ServicePort } | undefined {
  const service = mesh.service(keyOf(key.namespace, key.name));
  const port = service?.ports.find((candidate) => candidate.port === key.port);
  return service && port ? { service, port } : undefined;
}
