/** The VirtualHost for an authority. */
import type { ResourceName } from '../envoy/resource.js';
import { type Any, type Route, typeUrl } from '../envoy/types.js';
import type { Audience } from './contract.js';
import { treatment } from './default-action.js';
import { destinationRoutes, type Request } from './destination.js';
import { createMemo } from './memo.js';
import { baseVirtualHost, outboundRoutes, passthroughCluster } from './names.js';
import { nothing, type Part, withDiagnostics } from './part.js';
import { isPlainAuthority, refusingRoute, refusingTunnel } from './refusal.js';
import { resolve } from './resolve.js';
import type { Routes } from './routes.js';

const known = createMemo<Part>();
const passed = createMemo<Part>();
const refused = createMemo<Part>();

/**
 * The virtual host `out/KEY`, where KEY is the authority that was called. A captured connection to an address that the mesh
 * does not know goes on to that address, unless it is refused; a name that it does not know is nothing, or is refused.
 */
export function virtualHost(request: Request, name: string): Part {
  if (name === baseVirtualHost) return base;
  const key = name.slice(outboundRoutes.length + 1);
  const { client } = request.audience;
  const destination = resolve(request, key);
  const found = destinationRoutes(request, destination);
  if (found)
    return withDiagnostics(
      known([found.routes, key, client], () => build(key, found.routes, client)),
      found.diagnostics,
    );
  const isAddress = destination.kind === 'unknown' && destination.by === 'address' && client === 'captured';
  const isDeclared = isAddress && destination.isDeclared;
  if (!isDeclared && request.mesh.config().egress === 'RegistryOnly')
    return isPlainAuthority(key) ? refused([key, client], () => buildRefusal(key, client)) : nothing;
  return isAddress ? passed([key], () => build(key, passthrough, client)) : nothing;
}

function build(key: string, routes: Routes, client: Audience['client']): Part {
  const all = client === 'explicit' ? [...routes.routes, tunnel(routes.cluster)] : routes.routes;
  const references = [...new Set([...routes.clusters, ...(client === 'explicit' ? [routes.cluster] : [])])].sort();
  return {
    message: hostOf(key, all),
    references: references.map((name): ResourceName => ({ type: 'Cluster', name })),
    provenance: routes.provenance,
    diagnostics: routes.diagnostics,
  };
}

function buildRefusal(key: string, client: Audience['client']): Part {
  const routes = client === 'explicit' ? [refusingRoute(key), refusingTunnel(key)] : [refusingRoute(key)];
  const egress = { object: { kind: 'Mesh', namespace: '', name: 'default' }, field: 'spec.egress', part: '' };
  return { ...nothing, message: hostOf(key, routes), provenance: [egress] };
}

function hostOf(key: string, routes: readonly Route[]): Any {
  return { '@type': typeUrl('envoy.config.route.v3.VirtualHost'), name: `${outboundRoutes}/${key}`, domains: [key], routes };
}

/** CONNECT gives the app a connection to the Service as it is, for TLS of its own or another protocol; no rule looks into it. */
function tunnel(cluster: string): Route {
  const upgrade_configs = [{ upgrade_type: 'CONNECT', connect_config: {} }];
  return { name: 'tunnel', match: { connect_matcher: {} }, route: { cluster, timeout: '0s', upgrade_configs } };
}

/** Nothing is known of what is behind the address, so nothing is done to the call. */
const passthrough: Routes = {
  routes: [{ name: passthroughCluster, match: { prefix: '/' }, route: { ...treatment([], 'captured', true), cluster: passthroughCluster } }],
  cluster: passthroughCluster,
  clusters: [passthroughCluster],
  provenance: [],
  diagnostics: [],
};

/** A route configuration with `vhds` is ready once it has any virtual host. The domain is no host name, so nobody can call it. */
const base: Part = {
  ...nothing,
  message: { '@type': typeUrl('envoy.config.route.v3.VirtualHost'), name: baseVirtualHost, domains: ['_base.invalid'], routes: [] },
};
