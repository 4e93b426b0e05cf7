/** The resources that are the same for every mesh. */
import { type Cluster, type RouteConfiguration, typed, typeUrl } from '../envoy/types.js';
import { baseVirtualHost, inboundCluster, nowhereCluster, outboundRoutes, passthroughCluster } from './names.js';
import { nothing, type Part } from './part.js';
import { ads } from './sources.js';
import { defaultThresholds } from './thresholds.js';

/** Without the script's help a connection goes to the address that it was made to. An app's own limits apply, so the connect timeout is a kernel's, not a mesh's. */
const originalDestination: Cluster = {
  type: 'ORIGINAL_DST',
  lb_policy: 'CLUSTER_PROVIDED',
  connect_timeout: '10s',
  circuit_breakers: { thresholds: [defaultThresholds] },
};

const options = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/** To the address that was called, in the HTTP version of the caller where it is HTTP. */
export const passthrough: Part = clusterPart({
  name: passthroughCluster,
  ...originalDestination,
  typed_extension_protocol_options: {
    [options]: typed(options, { use_downstream_protocol_config: { http_protocol_options: {}, http2_protocol_options: {} } }),
  },
});

/** From the inbound listener to the app. By this source address the redirection tells the connection from those that it must redirect. */
export const inbound: Part = clusterPart({
  name: inboundCluster,
  ...originalDestination,
  upstream_bind_config: {
    source_address: { address: '127.0.0.6', port_value: 0 },
    extra_source_addresses: [{ address: { address: '::6', port_value: 0 } }],
  },
});

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
  return clusterPart({ name, ...originalDestination });
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
