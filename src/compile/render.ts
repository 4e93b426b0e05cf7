/** Everything that a client could be sent, at once: for people, plans and tests. A proxy never gets this. */
import { type ResourceName, resourceTypes } from '../envoy/resource.js';
import type { Any } from '../envoy/types.js';
import type { Diagnostic } from '../model/diagnostic.js';
import type { Mesh } from '../model/mesh.js';
import type { Key } from '../model/name.js';
import type { Service, ServicePort } from '../model/service.js';
import type { Compiler } from './compiler.js';
import type { Audience, Provenance } from './contract.js';
import { formatAddress, outboundRoutes, tcpClusterName } from './names.js';

/** One resource. */
export interface RenderedResource extends ResourceName {
  readonly message: Any;
  readonly provenance: readonly Provenance[];
}

/** All resources, by type and then by name, and each thing that is wrong, once. */
export interface Rendered {
  readonly resources: readonly RenderedResource[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Compiles the constants of an audience, what it would ask for if it called every port of these Services, and all that this needs. */
export function renderAll(mesh: Mesh, compiler: Compiler, audience: Audience, services: readonly Key[]): Rendered {
  const resources = new Map<string, RenderedResource>();
  const diagnostics = new Map<string, Diagnostic>();
  const seen = new Set<string>();
  const visit = ({ type, name }: ResourceName): void => {
    const id = `${type} ${name}`;
    if (seen.has(id)) return;
    seen.add(id);
    const { message, provenance, references, diagnostics: found } = compiler.compile(mesh, audience, type, name);
    if (message) resources.set(id, { type, name, message, provenance });
    for (const diagnostic of found) diagnostics.set(JSON.stringify(diagnostic), diagnostic);
    references.forEach(visit);
  };
  const called = services.toSorted().flatMap((key) => callsTo(mesh, audience, key));
  [...compiler.constants(audience), ...called].forEach(visit);
  return { resources: [...resources.values()].sort(compareNames), diagnostics: [...diagnostics].sort(([a], [b]) => compareText(a, b)).map(([, each]) => each) };
}

/** What the client asks for when it calls each port of a Service. */
function callsTo(mesh: Mesh, { client }: Audience, key: Key): readonly ResourceName[] {
  const service = mesh.service(key);
  return (service?.ports ?? []).flatMap((port) => (service ? callsToPort(mesh, client, service, port) : []));
}

function callsToPort(mesh: Mesh, client: Audience['client'], service: Service, port: ServicePort): readonly ResourceName[] {
  const name = `${service.name}.${service.namespace}:${port.port}`;
  if (client === 'grpc') return [{ type: 'Listener', name }];
  if (client === 'explicit') return [{ type: 'VirtualHost', name: `${outboundRoutes}/${name}` }];
  return addresses(mesh, service, port).map(({ address, number }) =>
    port.protocol === 'TCP'
      ? { type: 'Cluster', name: tcpClusterName(address, number) }
      : { type: 'VirtualHost', name: `${outboundRoutes}/${formatAddress(address, number)}` },
  );
}

/** The addresses that a captured client connects to: the Service's own, or those of a headless Service's endpoints. */
function addresses(mesh: Mesh, service: Service, port: ServicePort): readonly { readonly address: string; readonly number: number }[] {
  if (service.clusterIPs.length > 0) return service.clusterIPs.map((address) => ({ address, number: port.port }));
  return mesh.endpoints(service.key).flatMap(({ address, ports }) => {
    const number = ports.get(port.name);
    return number === undefined ? [] : [{ address, number }];
  });
}

const order = Object.keys(resourceTypes);

function compareNames(a: ResourceName, b: ResourceName): number {
  return order.indexOf(a.type) - order.indexOf(b.type) || compareText(a.name, b.name);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
