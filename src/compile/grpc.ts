/**
 * Proxyless gRPC (gRFC A27): the client asks for a Listener by the target of its channel, `xds:///reviews.shop:9080`, and for
 * the RouteConfiguration that it names. Both stand for the same destination as an authority of that text.
 */
import { type Any, type HttpConnectionManager, type RouteConfiguration, typed, typeUrl } from '../envoy/types.js';
import { destinationRoutes, type Request } from './destination.js';
import { createMemo } from './memo.js';
import { nothing, type Part, withDiagnostics } from './part.js';
import { resolve } from './resolve.js';
import type { Routes } from './routes.js';
import { ads } from './sources.js';

const listeners = createMemo<Part>();
const configurations = createMemo<Part>();

/** The Listener of a target; there is one as long as the target is a port of a Service. */
export function grpcListener(request: Request, target: string): Part {
  const destination = resolve(request, target);
  return destination.kind === 'unknown' ? nothing : listeners([destination.service, destination.port, target], () => buildListener(target));
}

function buildListener(target: string): Part {
  const manager: HttpConnectionManager = {
    rds: { config_source: ads, route_config_name: target },
    http_filters: [{ name: 'router', typed_config: typed('envoy.extensions.filters.http.router.v3.Router', {}) }],
  };
  const name = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
  const message: Any = { '@type': typeUrl('envoy.config.listener.v3.Listener'), name: target, api_listener: { api_listener: typed(name, manager) } };
  return { ...nothing, message, references: [{ type: 'RouteConfiguration', name: target }] };
}

/** The RouteConfiguration of a target. */
export function grpcRoutes(request: Request, target: string): Part {
  const found = destinationRoutes(request, resolve(request, target));
  return found
    ? withDiagnostics(
        configurations([found.routes, target], () => buildRoutes(target, found.routes)),
        found.diagnostics,
      )
    : nothing;
}

function buildRoutes(target: string, routes: Routes): Part {
  const fields: RouteConfiguration = { name: target, virtual_hosts: [{ name: target, domains: ['*'], routes: routes.routes }] };
  return {
    message: { '@type': typeUrl('envoy.config.route.v3.RouteConfiguration'), ...fields },
    references: routes.clusters.map((name) => ({ type: 'Cluster', name })),
    provenance: routes.provenance.map((each) => ({ ...each, part: `virtual_hosts[0].${each.part}` })),
    diagnostics: routes.diagnostics,
  };
}
