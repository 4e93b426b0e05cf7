/**
 * How Envoy answers probes. TCP and gRPC ones it makes itself now and then, and tells by HTTP how the last one went; HTTP ones it
 * passes on to the app, the very path that is probed and no other.
 */
import { type Cluster, type Message, type Route, typed } from '../envoy/types.js';
import { type GrpcProbe, type HttpProbe, keyHeader, type Probe, probePath, type TcpProbe } from './probe.js';

/** The pod's own address, as whoever starts Envoy has to write it. */
export const podAddress = '$(POD_IP)';

/** Matches the names of the statistics by which Envoy itself counts who is healthy. */
export const probeStats = 'cluster\\.probe_.+\\.membership_(total|healthy|degraded)';

type Checked = TcpProbe | GrpcProbe;
type HttpFilter = Message<'envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter'>;

/** The clusters that the probes need. */
export function probeClusters(probes: readonly Probe[]): readonly Cluster[] {
  const asked = probes.filter(isHttp);
  const first = asked.filter((probe, index) => asked.findIndex((other) => askedCluster(other) === askedCluster(probe)) === index);
  return [...probes.filter(isChecked).map(checkedAt), ...first.map(askedAt)];
}

/** Answer the path of a probe that Envoy makes itself with 200 while the app is well, with 503 while it is not. */
export function probeFilters(probes: readonly Probe[]): readonly HttpFilter[] {
  return probes.filter(isChecked).map((probe) => ({
    name: checkedCluster(probe),
    typed_config: typed('envoy.extensions.filters.http.health_check.v3.HealthCheck', {
      pass_through_mode: false,
      cluster_min_healthy_percentages: { [checkedCluster(probe)]: { value: 100 } },
      headers: [{ name: ':path', string_match: { exact: probePath(probe) } }],
    }),
  }));
}

/**
 * Pass the others on, for whoever has the key: a GET of the whole path with its query. The kubelet would follow a redirect to a
 * path that is not there; without a location it takes the answer as good.
 */
export function probeRoutes(probes: readonly Probe[], key: string): readonly Route[] {
  return probes.filter(isHttp).map((probe) => ({
    match: {
      prefix: `/probe/${probe.kind}/${probe.port}/`,
      headers: [exactly(':method', 'GET'), exactly(':path', probePath(probe)), exactly(keyHeader, key)],
    },
    route: { cluster: askedCluster(probe), prefix_rewrite: '/', timeout: '0s' },
    request_headers_to_remove: [keyHeader],
    response_headers_to_remove: ['location'],
  }));
}

const exactly = (name: string, exact: string) => ({ name, string_match: { exact } });

const isHttp = (probe: Probe): probe is HttpProbe => probe.kind === 'http' || probe.kind === 'https';
const isChecked = (probe: Probe): probe is Checked => !isHttp(probe);

function checkedCluster(probe: Checked): string {
  return probe.kind === 'tcp' ? `probe_${probe.port}` : `probe_grpc_${probe.port}${probe.service && `_${probe.service}`}`;
}

const askedCluster = ({ kind, port }: HttpProbe): string => `app_${kind}_${port}`;

/** The app at its own port, connected to from the addresses that redirection leaves alone. */
function app(name: string, port: number): Cluster {
  const address = { socket_address: { address: podAddress, port_value: port } };
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    upstream_bind_config: {
      source_address: { address: '127.0.0.6', port_value: 0 },
      extra_source_addresses: [{ address: { address: '::6', port_value: 0 } }],
    },
  };
}

const options = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

function checkedAt(probe: Checked): Cluster {
  const period = `${probe.periodSeconds}s` as const;
  const times = { interval: period, no_traffic_interval: '1s', no_traffic_healthy_interval: period, healthy_threshold: 1, unhealthy_threshold: 1 } as const;
  const cluster = app(checkedCluster(probe), probe.port);
  if (probe.kind === 'tcp') return { ...cluster, health_checks: [{ timeout: '1s', ...times, tcp_health_check: {} }] };
  const grpc_health_check = probe.service ? { service_name: probe.service } : {};
  return {
    ...cluster,
    typed_extension_protocol_options: { [options]: typed(options, { explicit_http_config: { http2_protocol_options: {} } }) },
    health_checks: [{ timeout: `${probe.timeoutSeconds}s`, ...times, grpc_health_check }],
  };
}

/** A connection for each probe, as the kubelet makes it: one that is kept the app could close just then. It does not look at certificates either. */
function askedAt(probe: HttpProbe): Cluster {
  const http = typed(options, { common_http_protocol_options: { max_requests_per_connection: 1 }, explicit_http_config: { http_protocol_options: {} } });
  const tls = { name: 'envoy.transport_sockets.tls', typed_config: typed('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext', {}) };
  return {
    ...app(askedCluster(probe), probe.port),
    typed_extension_protocol_options: { [options]: http },
    ...(probe.kind === 'https' ? { transport_socket: tls } : {}),
  };
}
