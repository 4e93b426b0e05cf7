import { type Message, typed } from '../envoy/types.js';
import { passthroughCluster } from './names.js';
import { ads } from './sources.js';
import { accessLogs, type TelemetryConfig } from './telemetry.js';

type Filter = Message<'envoy.config.listener.v3.Filter'>;
type TcpProxy = Message<'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy'>;

/** Passes bytes to a cluster. A silent connection is kept: without a proxy nobody would close it either. */
export function tcpProxy(cluster: string, more: TcpProxy = {}): Filter {
  const fields: TcpProxy = { stat_prefix: cluster, cluster, idle_timeout: '0s', ...more };
  return { name: 'envoy.filters.network.tcp_proxy', typed_config: typed('envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', fields) };
}

/** Names the cluster by the address that was called, `tcp_10.0.0.1:3306`; the filter state overrules the cluster of the proxy. */
const clusterByAddress: Filter = {
  name: 'envoy.filters.network.set_filter_state',
  typed_config: typed('envoy.extensions.filters.network.set_filter_state.v3.Config', {
    on_new_connection: [{ object_key: 'envoy.tcp_proxy.cluster', format_string: { text_format_source: { inline_string: 'tcp_%DOWNSTREAM_LOCAL_ADDRESS%' } } }],
  }),
};

/** TCP to whatever address was called: its cluster is asked for when the first connection comes. */
export function onDemandTcp(config: TelemetryConfig): readonly Filter[] {
  return [
    clusterByAddress,
    tcpProxy(passthroughCluster, { stat_prefix: 'outbound_tcp', on_demand: { odcds_config: ads, timeout: '60s' }, ...reported(config) }),
  ];
}

/** To an address that the mesh knows nothing of. */
export function passthroughTcp(config: TelemetryConfig): readonly Filter[] {
  return [tcpProxy(passthroughCluster, reported(config))];
}

function reported(config: TelemetryConfig): TcpProxy {
  return { access_log: accessLogs({ direction: 'outbound', protocol: 'tcp' }, config) };
}
