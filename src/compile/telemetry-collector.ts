/** The cluster of the OpenTelemetry collector. */
import type { ResourceName } from '../envoy/resource.js';
import { type Cluster, type Message, typed, typeUrl } from '../envoy/types.js';
import type { Telemetry } from '../model/telemetry.js';
import { nothing, type Part } from './part.js';

/** The name of the cluster. */
export const collectorCluster = 'telemetry';

/** How filters speak of it. */
export const collectorService: Message<'envoy.config.core.v3.GrpcService'> = { envoy_grpc: { cluster_name: collectorCluster }, timeout: '5s' };

/** What a listener refers to whose filters may send to the collector. */
export function collectorReferences({ collector }: Telemetry): readonly ResourceName[] {
  return collector ? [{ type: 'Cluster', name: collectorCluster }] : [];
}

const options = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/** The cluster; nothing where the Mesh names no collector. A collector that is slow or away costs spans and records, never a call. */
export function collector({ collector: at }: Telemetry): Part {
  if (!at) return nothing;
  const address = { socket_address: { address: at.host, port_value: at.port } };
  const cluster: Cluster = {
    name: collectorCluster,
    type: 'STRICT_DNS',
    connect_timeout: '1s',
    load_assignment: { cluster_name: collectorCluster, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    typed_extension_protocol_options: { [options]: typed(options, { explicit_http_config: { http2_protocol_options: {} } }) },
  };
  return { ...nothing, message: { '@type': typeUrl('envoy.config.cluster.v3.Cluster'), ...cluster } };
}
