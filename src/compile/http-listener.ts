import { type HttpConnectionManager, type HttpFilter, type NetworkFilter, typed } from '../envoy/types.js';
import { addressAsAuthority, authorityAsWritten } from './called-address.js';
import { outboundRoutes } from './names.js';
import { ads } from './sources.js';
import { accessLogs, type TelemetryConfig } from './telemetry.js';
import { tracing } from './telemetry-tracing.js';

const onDemand: HttpFilter = {
  name: 'envoy.filters.http.on_demand',
  typed_config: typed('envoy.extensions.filters.http.on_demand.v3.OnDemand', { odcds: { source: ads } }),
};

/** Without the `x-envoy-...` headers that Envoy adds by itself. */
export const router: HttpFilter = {
  name: 'envoy.filters.http.router',
  typed_config: typed('envoy.extensions.filters.http.router.v3.Router', { suppress_envoy_headers: true }),
};

/**
 * The app must not notice the proxy: no header of its own that is not needed, no path changed, no limit on time or on how
 * long a stream is silent. Envoy adds `x-request-id` and `x-forwarded-proto` where the app has not set them. Paths are not
 * normalized: rules of callers are matched against what the server will get. On the server's side `authorization` has them
 * normalized, or refused, where its rules look at them.
 */
export const transparent: HttpConnectionManager = {
  skip_xff_append: true,
  server_header_transformation: 'PASS_THROUGH',
  proxy_100_continue: true,
  normalize_path: false,
  stream_idle_timeout: '0s',
  http_protocol_options: { accept_http_10: true },
};

/** HTTP to whatever address was called. */
export function capturedHttp(config: TelemetryConfig): NetworkFilter {
  return connectionManager('outbound', [addressAsAuthority, onDemand, authorityAsWritten, router], ['websocket'], config);
}

/** HTTP as a proxy is called: the authority is the name that the app asks for, or what it wants a tunnel to. */
export function explicitHttp(config: TelemetryConfig): NetworkFilter {
  return connectionManager('explicit', [onDemand, router], ['websocket', 'CONNECT'], config);
}

function connectionManager(statPrefix: string, filters: readonly HttpFilter[], upgrades: readonly string[], config: TelemetryConfig): NetworkFilter {
  const manager: HttpConnectionManager = {
    ...transparent,
    ...tracing(config.telemetry),
    access_log: accessLogs({ direction: 'outbound', protocol: 'http' }, config),
    stat_prefix: statPrefix,
    rds: { route_config_name: outboundRoutes, config_source: ads },
    upgrade_configs: upgrades.map((upgrade_type) => ({ upgrade_type })),
    http_filters: filters,
  };
  return managerFilter(manager);
}

/** A connection manager as a filter. */
export function managerFilter(manager: HttpConnectionManager): NetworkFilter {
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: typed('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', manager),
  };
}
