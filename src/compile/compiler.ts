/** The compiler: a name goes in, the resource for this audience comes out, with all that it depends on. */
import type { ResourceName, ResourceType } from '../envoy/resource.js';
import { leafName, rootsName } from '../model/secret-names.js';
import type { Audience, Compile, Constants } from './contract.js';
import type { Request } from './destination.js';
import { routes } from './fixed.js';
import { grpcListener, grpcRoutes } from './grpc.js';
import { inbound, mutualTls } from './inbound.js';
import { explicit, outbound } from './listeners.js';
import { cluster, endpoints } from './named-cluster.js';
import {
  baseVirtualHost,
  explicitListener,
  inboundCluster,
  inboundListener,
  mutualTlsListener,
  outboundListener,
  outboundRoutes,
  passthroughCluster,
} from './names.js';
import { nothing, type Part } from './part.js';
import { defaultSettings, type MeshSettings } from './settings.js';
import { track } from './topics.js';
import { virtualHost } from './virtual-host.js';

/** Both halves of the contract, for one mesh. */
export interface Compiler {
  readonly compile: Compile;
  readonly constants: Constants;
}

/** A compiler with these settings; those left out are the defaults. */
export function createCompiler(given: Partial<MeshSettings> = {}): Compiler {
  const settings: MeshSettings = { ...defaultSettings, ...given };
  return {
    compile: (mesh, audience, type, name) => {
      const tracked = track(mesh);
      const part = compilers[type]({ mesh: tracked.mesh, audience, settings }, name);
      return { ...part, topics: tracked.topics };
    },
    constants: ({ client }) => (client === 'captured' && settings.mtls ? mutualTlsNames : constantNames[client]),
  };
}

const compilers: Readonly<Record<ResourceType, (request: Request, name: string) => Part>> = {
  Cluster: cluster,
  ClusterLoadAssignment: endpoints,
  Listener: listener,
  RouteConfiguration: (request, name) => (request.audience.client === 'grpc' ? grpcRoutes(request, name) : name === outboundRoutes ? routes : nothing),
  VirtualHost: (request, name) => (name.startsWith(`${outboundRoutes}/`) ? virtualHost(request, name) : nothing),
  Secret: () => nothing,
};

function listener(request: Request, name: string): Part {
  const { audience, mesh, settings } = request;
  if (audience.client === 'grpc') return grpcListener(request, name);
  if (audience.client === 'explicit') return name === explicitListener ? explicit(audience.explicitPort, mesh.config()) : nothing;
  if (name === inboundListener) return inbound(request);
  if (name === mutualTlsListener) return settings.mtls ? mutualTls(request) : nothing;
  return name === outboundListener ? outbound(mesh.ports(), audience.namespace, mesh.config(), settings) : nothing;
}

const shared: readonly ResourceName[] = [
  { type: 'RouteConfiguration', name: outboundRoutes },
  { type: 'VirtualHost', name: baseVirtualHost },
];

const constantNames: Readonly<Record<Audience['client'], readonly ResourceName[]>> = {
  captured: [
    { type: 'Cluster', name: inboundCluster },
    { type: 'Cluster', name: passthroughCluster },
    { type: 'Listener', name: inboundListener },
    { type: 'Listener', name: outboundListener },
    ...shared,
  ],
  explicit: [{ type: 'Listener', name: explicitListener }, ...shared],
  grpc: [],
};

const mutualTlsNames: readonly ResourceName[] = [
  ...constantNames.captured,
  { type: 'Listener', name: mutualTlsListener },
  { type: 'Secret', name: leafName },
  { type: 'Secret', name: rootsName },
];
