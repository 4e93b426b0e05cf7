/** What a sidecar does with a connection to a port of its app. */
import type { AccessLog, HttpConnectionManager, NetworkFilter } from '../envoy/types.js';
import { typed } from '../envoy/types.js';
import type { Feature, ServerParts } from '../features/feature.js';
import { features } from '../features/gen/index.js';
import type { MeshConfig } from '../model/mesh-config.js';
import { managerFilter, router, transparent } from './http-listener.js';
import type { InboundPort } from './inbound-ports.js';
import { merge } from './merge.js';
import { inboundPortCluster } from './names.js';
import { tcpProxy } from './tcp-filters.js';
import { accessLogs, destinationName } from './telemetry.js';
import { atTheEnd, countPlaintext, whileItLasts } from './telemetry-plaintext.js';
import { tracing } from './telemetry-tracing.js';
import { maxHttpAge, maxTcpAge } from './tls.js';

const all: readonly Feature[] = features;

/** How a connection came. */
export type Arrival = 'mtls' | 'plaintext';

/**
 * The filters of a port. Plaintext that no policy looks into passes as bytes, whatever the port is said to speak, so that nothing
 * of it can be misread.
 */
export function inboundFilters(port: InboundPort, arrival: Arrival, config: MeshConfig): readonly NetworkFilter[] {
  const parts = serverParts(port, arrival, config);
  const network = parts.flatMap((part) => part.network ?? []);
  const isRead = port.protocol !== 'TCP' && (arrival === 'mtls' || parts.some(({ http, manager }) => http?.length || manager));
  return [...network, isRead ? http(port, arrival, parts, config) : tcp(port, arrival, parts, config)];
}

function serverParts({ number, protocol, service, stanzas }: InboundPort, arrival: Arrival, { trustDomain }: MeshConfig): readonly ServerParts[] {
  const { namespace, name } = service;
  const context = { protocol, namespace, service: name, port: number, trustDomain, isMtls: arrival === 'mtls' };
  return all.flatMap((feature) => {
    const own = stanzas.get(feature.name) ?? [];
    return feature.server && own.length > 0 ? [feature.server(own, context)] : [];
  });
}

function logs({ service, port }: InboundPort, protocol: 'http' | 'tcp', parts: readonly ServerParts[], config: MeshConfig): readonly AccessLog[] {
  const fields = Object.assign({}, ...parts.map(({ accessLog = {} }) => accessLog));
  return accessLogs({ direction: 'inbound', protocol, destination: destinationName(service, port), fields }, config);
}

function tcp(port: InboundPort, arrival: Arrival, parts: readonly ServerParts[], config: MeshConfig): NetworkFilter {
  const access_log = logs(port, 'tcp', parts, config);
  if (arrival === 'mtls') return tcpProxy(inboundPortCluster(port.number), { ...maxTcpAge, ...(access_log.length > 0 ? { access_log } : {}) });
  const seen = [...atTheEnd(access_log, 'tcp'), countPlaintext(port.number, 'tcp')];
  return tcpProxy(inboundPortCluster(port.number), { access_log: seen, access_log_options: whileItLasts.tcp });
}

function httpLogs(port: InboundPort, arrival: Arrival, parts: readonly ServerParts[], config: MeshConfig): HttpConnectionManager {
  const access_log = logs(port, 'http', parts, config);
  if (arrival === 'mtls') return access_log.length > 0 ? { access_log } : {};
  return { access_log: [...atTheEnd(access_log, 'http'), countPlaintext(port.number, 'http')], access_log_options: whileItLasts.http };
}

/** Who calls stands in `x-forwarded-client-cert`, which nobody else can set. */
function http(port: InboundPort, arrival: Arrival, parts: readonly ServerParts[], config: MeshConfig): NetworkFilter {
  const cluster = inboundPortCluster(port.number);
  const route = { name: 'app', match: { prefix: '/' }, route: { cluster, timeout: '0s' } } as const;
  const base: HttpConnectionManager = {
    ...transparent,
    ...tracing(config.telemetry),
    stat_prefix: 'inbound',
    route_config: { name: cluster, virtual_hosts: [{ name: 'app', domains: ['*'], routes: [route] }], validate_clusters: false },
    upgrade_configs: [{ upgrade_type: 'websocket' }],
    ...(arrival === 'mtls' ? ofMesh : {}),
    ...httpLogs(port, arrival, parts, config),
  };
  const { message } = merge(
    base,
    parts.map(({ manager = {} }) => manager),
  );
  return managerFilter({ ...message, http_filters: [...parts.flatMap((part) => part.http ?? []), router] });
}

/** An HTTP/1 connection that is old ends behind the next answer, so that no request is lost. */
const ofMesh: HttpConnectionManager = {
  forward_client_cert_details: 'SANITIZE_SET',
  set_current_client_cert_details: { uri: true },
  common_http_protocol_options: maxHttpAge,
  http1_safe_max_connection_duration: true,
};

/** Closes a connection before a byte of it is read, or of the app's answer is sent. */
export const refuse: readonly NetworkFilter[] = [
  { name: 'envoy.filters.network.direct_response', typed_config: typed('envoy.extensions.filters.network.direct_response.v3.Config', {}) },
];
