/**
 * What stands in for a TCP probe. Whoever connects to a captured port has connected to Envoy, whether the app listens or not,
 * and a TCP probe asks no more; so Envoy itself connects to the app now and then, and tells by HTTP how that went.
 */
import { type Cluster, type Message, typed } from '../envoy/types.js';

/** A port of the app that is probed. */
export interface TcpProbe {
  readonly port: number;
  /** Seconds between two connections while the app listens; while it does not, Envoy tries every second. */
  readonly periodSeconds: number;
}

/** The pod's own address, as whoever starts Envoy has to write it. */
export const podAddress = '$(POD_IP)';

/** Where the health listener tells whether the app listens on a port. */
export const tcpProbePath = (port: number): string => `/probe/tcp/${port}`;

const clusterName = (port: number): string => `probe_${port}`;

/** Matches the names of the statistics by which Envoy itself counts who is healthy. */
export const probeStats = 'cluster\\.probe_[0-9]+\\.membership_(total|healthy|degraded)';

/** The app at its own port, connected to from the addresses that redirection leaves alone. */
export function probeCluster({ port, periodSeconds }: TcpProbe): Cluster {
  const period = `${periodSeconds}s` as const;
  const address = { socket_address: { address: podAddress, port_value: port } };
  return {
    name: clusterName(port),
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: { cluster_name: clusterName(port), endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    upstream_bind_config: {
      source_address: { address: '127.0.0.6', port_value: 0 },
      extra_source_addresses: [{ address: { address: '::6', port_value: 0 } }],
    },
    health_checks: [
      {
        timeout: '1s',
        interval: period,
        no_traffic_interval: '1s',
        no_traffic_healthy_interval: period,
        healthy_threshold: 1,
        unhealthy_threshold: 1,
        tcp_health_check: {},
      },
    ],
  };
}

/** Answers the path of the port with 200 while the app listens, with 503 while it does not. */
export function probeFilter({ port }: TcpProbe): Message<'envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter'> {
  return {
    name: clusterName(port),
    typed_config: typed('envoy.extensions.filters.http.health_check.v3.HealthCheck', {
      pass_through_mode: false,
      cluster_min_healthy_percentages: { [clusterName(port)]: { value: 100 } },
      headers: [{ name: ':path', string_match: { exact: tcpProbePath(port) } }],
    }),
  };
}
