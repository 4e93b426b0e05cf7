import type { Diagnostic } from '../model/diagnostic.js';
import type { Mesh } from '../model/mesh.js';
import type { Audience } from './contract.js';
import { effectiveFor } from './effective.js';
import { clusterName, podClusterName } from './names.js';
import type { Destination } from './resolve.js';
import { type Routes, routesFor } from './routes.js';
import type { MeshSettings } from './settings.js';

/** For whom, and in which world, something is compiled. */
export interface Request {
  readonly mesh: Mesh;
  readonly audience: Audience;
  readonly settings: MeshSettings;
}

/** How calls to a destination are routed, and what was wrong with the policies that say so. */
export interface DestinationRoutes {
  readonly routes: Routes;
  readonly diagnostics: readonly Diagnostic[];
}

/** The routes of a destination; undefined for one that the mesh does not know. */
export function destinationRoutes({ mesh, audience }: Request, destination: Destination): DestinationRoutes | undefined {
  if (destination.kind === 'unknown') return undefined;
  const { service, port, kind } = destination;
  const { effective, diagnostics } = effectiveFor(mesh, service, port, audience.namespace);
  const cluster = kind === 'pod' ? podClusterName(destination.address, destination.targetPort) : clusterName(service, port.port);
  return { routes: routesFor(mesh, { service, port, effective, client: audience.client, cluster, pod: kind === 'pod' }), diagnostics };
}
