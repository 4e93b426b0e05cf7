/**
 * The one port of a sidecar that the kubelet and Prometheus reach: `/ready`, `/stats/prometheus`, `/stats/plaintext` and a guarded `/drain`.
 * They lead to Envoy's admin interface, which itself listens on a unix socket that nobody else can open.
 */
import { type Cluster, type Listener, type Route, typed } from '../envoy/types.js';
import { plaintextPath, plaintextPrefix } from '../model/plaintext.js';
import { healthPort } from '../model/sidecar-ports.js';
import { probeClusters, probeFilters, probeRoutes } from './bootstrap-probes.js';
import { keyHeader, type Probe } from './probe.js';

/** How the health listener is reached. */
export interface HealthOptions {
  /** The address to listen on; all IPv4 addresses unless given. */
  readonly address?: string | undefined;
  /** Whether to listen on all IPv6 addresses too. */
  readonly ipv6?: boolean | undefined;
  /** 15021 unless given. */
  readonly port?: number | undefined;
  /** What the header {@link keyHeader} must hold for `/drain` and for what is passed on to the app, since the network can reach them too; without one there is neither. */
  readonly drainKey?: string | undefined;
  /** What of the app is probed by way of this listener. */
  readonly probes?: readonly Probe[] | undefined;
}

/** The listener, and the clusters that it asks: the admin interface and, for its probes, the app. */
export function healthListener(adminSocket: string, options: HealthOptions): { readonly listener: Listener; readonly clusters: readonly Cluster[] } {
  const address = { pipe: { path: adminSocket } };
  const cluster: Cluster = {
    name: 'admin',
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: { cluster_name: 'admin', endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  };
  const port_value = options.port ?? healthPort;
  const listener: Listener = {
    name: 'health',
    address: { socket_address: { address: options.address ?? '0.0.0.0', port_value } },
    ...(options.ipv6 ? { additional_addresses: [{ address: { socket_address: { address: '::', port_value } } }] } : {}),
    ignore_global_conn_limit: true,
    bypass_overload_manager: true,
    filter_chains: [{ filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: connectionManager(options) }] }],
  };
  return { listener, clusters: [cluster, ...probeClusters(options.probes ?? [])] };
}

function connectionManager({ drainKey: key, probes = [] }: HealthOptions) {
  return typed('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'health',
    request_timeout: '10s',
    route_config: {
      name: 'health',
      virtual_hosts: [{ name: 'health', domains: ['*'], routes: [...(key === undefined ? [] : probeRoutes(probes, key)), ...routes(key)] }],
    },
    http_filters: [
      ...probeFilters(probes),
      ...(key === undefined ? [] : [postForDrain]),
      { name: 'envoy.filters.http.router', typed_config: typed('envoy.extensions.filters.http.router.v3.Router', {}) },
    ],
  });
}

function routes(key: string | undefined): readonly Route[] {
  const ready: Route = { match: { path: '/ready' }, route: { cluster: 'admin' } };
  const stats: Route = { match: { path: '/stats/prometheus' }, route: { cluster: 'admin', prefix_rewrite: `/stats/prometheus?usedonly&filter=${others}` } };
  const plaintext: Route = { match: { path: plaintextPath }, route: { cluster: 'admin', prefix_rewrite: `/stats/prometheus?filter=${ofPlaintext}` } };
  return [ready, stats, plaintext, ...(key === undefined ? [] : [drain(key)])];
}

/** Who calls in plaintext, and for how long the process has looked. Each time Envoy forgets some, it takes the others for unused until they are seen again. */
const ofPlaintext = encodeURIComponent(`^(${plaintextPrefix}\\.|server\\.uptime$)`);

/** All the rest: addresses of callers are too many for a label of Prometheus. Envoy's regular expressions cannot negate. */
const others = encodeURIComponent('^([^p]|p[^l])');

/** Without `skip_exit` the listeners would close while EndpointSlices still list the pod. */
function drain(key: string): Route {
  return {
    match: { path: '/drain', headers: [{ name: keyHeader, string_match: { exact: key } }] },
    route: { cluster: 'admin', prefix_rewrite: '/drain_listeners?inboundonly&graceful&skip_exit' },
  };
}

/** A preStop hook can only GET, Envoy drains only on POST, and no filter but Lua may change the method. */
const postForDrain = {
  name: 'envoy.filters.http.lua',
  typed_config: typed('envoy.extensions.filters.http.lua.v3.Lua', {
    default_source_code: {
      inline_string: "function envoy_on_request(h) if h:headers():get(':path') == '/drain' then h:headers():replace(':method', 'POST') end end",
    },
  }),
};
