/** What a client means by the authority that it calls. */
import type { Mesh } from '../model/mesh.js';
import { type Key, keyOf } from '../model/name.js';
import type { Endpoint, Service, ServicePort } from '../model/service.js';
import type { Request } from './destination.js';
import { parseAuthority, parseServiceName } from './names.js';

/** A port of a Service. */
export interface ServiceDestination {
  readonly kind: 'service';
  readonly service: Service;
  readonly port: ServicePort;
}

/** One endpoint of a Service, called by its own address. */
export interface PodDestination {
  readonly kind: 'pod';
  readonly service: Service;
  readonly port: ServicePort;
  readonly address: string;
  /** The port at that address. */
  readonly targetPort: number;
  readonly endpoint: Endpoint;
}

/** What is called; `unknown` for an address or a name that the mesh has nothing to say of. */
export type Destination = ServiceDestination | PodDestination | { readonly kind: 'unknown'; readonly by: 'address' | 'name' };

/** Plain HTTP's port, which an authority without a port means. */
const httpPort = 80;

/** Resolves an authority: an address or a DNS name of a Service, with a port or without. */
export function resolve({ mesh, audience, settings }: Request, text: string): Destination {
  const authority = parseAuthority(text);
  if (!authority) return { kind: 'unknown', by: 'name' };
  const port = authority.port ?? httpPort;
  return authority.kind === 'address'
    ? resolveAddress(mesh, authority.host, port)
    : resolveName(mesh, parseServiceName(authority.host, audience.namespace, settings.clusterDomain), port);
}

/** Resolves an IP address: a Service's own, or that of an endpoint, where a headless Service comes before others. */
export function resolveAddress(mesh: Mesh, address: string, port: number): Destination {
  const owner = mesh.at(address);
  if (owner.service) return servicePort(mesh.service(owner.service), port) ?? { kind: 'unknown', by: 'address' };
  for (const key of owner.endpointOf) {
    const found = resolvePod(mesh, key, address, port);
    if (found) return found;
  }
  return { kind: 'unknown', by: 'address' };
}

function resolveName(mesh: Mesh, name: { readonly namespace: string; readonly name: string } | undefined, port: number): Destination {
  const service = name && mesh.service(keyOf(name.namespace, name.name));
  return servicePort(service, port) ?? { kind: 'unknown', by: 'name' };
}

function servicePort(service: Service | undefined, number: number): ServiceDestination | undefined {
  const port = service?.ports.find((candidate) => candidate.port === number);
  return service && port ? { kind: 'service', service, port } : undefined;
}

function resolvePod(mesh: Mesh, key: Key, address: string, targetPort: number): PodDestination | undefined {
  const service = mesh.service(key);
  const endpoints = mesh.endpoints(key).filter((candidate) => candidate.address === address);
  const port = service?.ports.find(({ name }) => endpoints.some(({ ports }) => ports.get(name) === targetPort));
  const endpoint = port && endpoints.find(({ ports }) => ports.get(port.name) === targetPort);
  return service && port && endpoint ? { kind: 'pod', service, port, address, targetPort, endpoint } : undefined;
}
