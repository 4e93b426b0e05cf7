/** The resources that are the same for every mesh. */
import { type Cluster, type HttpProtocolOptions, type RouteConfiguration, typed, typeUrl } from '../envoy/types.js';
import { baseVirtualHost, inboundCluster, inboundPortCluster, nowhereCluster, outboundRoutes, passthroughCluster } from './names.js';
import { nothing, type Part } from './part.js';
import { ads } from './sources.js';
import { destinationMetadata, outside } from './telemetry.js';
import { defaultThresholds } from './thresholds.js';

/** Without the script's help a connection goes to the address that it was made to. An app's own limits apply, so the connect timeout is a kernel's, not a mesh's. */
const originalDestination: Cluster = {
  type: 'ORIGINAL_DST',
  lb_policy: 'CLUSTER_PROVIDED',
  connect_timeout: '10s',
  circuit_breakers: { thresholds: [defaultThresholds] },
};

const options = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/** In the HTTP version of the caller. */
function asCalled(more: HttpProtocolOptions = {}): Cluster {
  const message = typed(options, { ...more, use_downstream_protocol_config: { http_protocol_options: {}, http2_protocol_options: {} } });
  return { typed_extension_protocol_options: { [options]: message } };
}

/** To the address that was called, in the HTTP version of the caller where it is HTTP. */
export const passthrough: Part = clusterPart({
  name: passthroughCluster,
  ...destinationMetadata(outside),
  ...originalDestination,
  ...asCalled(),
});

/** By this source address the redirection tells connections to the app from those that it must redirect. */
const fromSidecar: Cluster = {
  upstream_bind_config: {
    source_address: { address: '127.0.0.6', port_value: 0 },
    extra_source_addresses: [{ address: { address: '::6', port_value: 0 } }],
  },
};

/** From the inbound listener to the app, at the port that was called. */
export const inbound: Part = clusterPart({ name: inboundCluster, ...originalDestination, ...fromSidecar });

/**
 * To one port of the app, at the address that was called, whatever port that was; in the HTTP version of the caller. The same for
 * all pods. Idle connections are ended before an app does it: many do after two to five seconds, and a request that is on its way
 * just then would be lost.
 */
export function inboundPort(port: number): Part {
  return clusterPart({
    name: inboundPortCluster(port),
    ...originalDestination,
    ...fromSidecar,
    original_dst_lb_config: { upstream_port_override: port },
    ...asCalled({ common_http_protocol_options: { idle_timeout: '1s' } }),
    circuit_breakers: { thresholds: [defaultThresholds] },
  });
}

/** For proxyless gRPC, which knows no answer that a route gives by itself: calls fail with UNAVAILABLE, since there is no endpoint. */
export const nowhere: Part = {
  ...clusterPart({ name: nowhereCluster, type: 'EDS', eds_cluster_config: { eds_config: ads }, lb_policy: 'ROUND_ROBIN' }),
  references: [{ type: 'ClusterLoadAssignment', name: nowhereCluster }],
};

/** The endpoints of {@link nowhere}. */
export const nobody: Part = {
  ...nothing,
  message: { '@type': typeUrl('envoy.config.endpoint.v3.ClusterLoadAssignment'), cluster_name: nowhereCluster, endpoints: [] },
};

/** A cluster for raw TCP to an address that no Service has. */
export function unknownAddress(name: string): Part {
  return clusterPart({ name, ...destinationMetadata(outside), ...originalDestination });
}

/** A cluster for raw TCP to an address that may not be called: it has no endpoint, so the connection is closed at once. */
export function refusedAddress(name: string): Part {
  return clusterPart({ name, type: 'STATIC' });
}

function clusterPart(cluster: Cluster): Part {
  return { ...nothing, message: { '@type': typeUrl('envoy.config.cluster.v3.Cluster'), ...cluster } };
}

const fields: RouteConfiguration = { name: outboundRoutes, vhds: { config_source: ads }, validate_clusters: false };

/** The outbound route configuration: every virtual host is asked for when it is first called. */
export const routes: Part = {
  ...nothing,
  message: { '@type': typeUrl('envoy.config.route.v3.RouteConfiguration'), ...fields },
  references: [{ type: 'VirtualHost', name: baseVirtualHost }],
};
