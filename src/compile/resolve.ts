/** What a client means by the authority that it calls. */
import type { Mesh } from '../model/mesh.js';
import { type Key, keyOf, splitKey } from '../model/name.js';
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

/** An address or a name of which the mesh has nothing to say to this caller. */
export interface UnknownDestination {
  readonly kind: 'unknown';
  readonly by: 'address' | 'name';
  /** Whether it is an address that Services of other namespaces have declared: their policies do not hold, but the call may be made. */
  readonly isDeclared: boolean;
}

/** What is called. */
export type Destination = ServiceDestination | PodDestination | UnknownDestination;

/** Plain HTTP's port, which an authority without a port means. */
const httpPort = 80;

/** Resolves an authority: an address or a DNS name of a Service, with a port or without. */
export function resolve(request: Request, text: string): Destination {
  const { mesh, audience, settings } = request;
  const authority = parseAuthority(text);
  if (!authority) return unknownName;
  const port = authority.port ?? httpPort;
  return authority.kind === 'address'
    ? resolveAddress(request, authority.host, port)
    : resolveName(mesh, parseServiceName(authority.host, audience.namespace, settings.clusterDomain), port);
}

const unknownName: UnknownDestination = { kind: 'unknown', by: 'name', isDeclared: false };
const unknownAddress: UnknownDestination = { kind: 'unknown', by: 'address', isDeclared: false };

/**
 * Resolves an IP address: a Service's own, or that of an endpoint, where a headless Service comes before others. Anybody who may
 * write EndpointSlices may write any address there, so a Service has a say to other namespaces about Pods of its own one alone.
 */
export function resolveAddress({ mesh, audience }: Pick<Request, 'mesh' | 'audience'>, address: string, port: number): Destination {
  const { service, endpointOf, isOfPod } = mesh.at(address);
  if (service) return servicePort(mesh.service(service), port) ?? unknownAddress;
  const speaks = (key: Key) => isOfPod || splitKey(key).namespace === audience.namespace;
  const find = (keys: readonly Key[]) => firstOf(keys, (key) => resolvePod(mesh, key, address, port));
  const found = find(endpointOf.filter(speaks));
  if (found) return found;
  return find(endpointOf.filter((key) => !speaks(key))) ? { ...unknownAddress, isDeclared: true } : unknownAddress;
}

function firstOf<From, To>(all: readonly From[], find: (one: From) => To | undefined): To | undefined {
  for (const one of all) {
    const found = find(one);
    if (found) return found;
  }
  return undefined;
}

function resolveName(mesh: Mesh, name: { readonly namespace: string; readonly name: string } | undefined, port: number): Destination {
  const service = name && mesh.service(keyOf(name.namespace, name.name));
  return servicePort(service, port) ?? unknownName;
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
