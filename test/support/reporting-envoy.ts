/** A real Envoy with the telemetry that Weft makes, and two sidecars' worth of listeners. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tcpProxy } from '../../src/compile/tcp-filters.js';
import { accessLogs, destinationMetadata } from '../../src/compile/telemetry.js';
import type { Calls } from '../../src/compile/telemetry-calls.js';
import { collector } from '../../src/compile/telemetry-collector.js';
import { tracing } from '../../src/compile/telemetry-tracing.js';
import {
  type Any,
  type Bootstrap,
  type Cluster,
  type FilterChain,
  type HttpConnectionManager,
  type Listener,
  type NetworkFilter,
  typed,
} from '../../src/envoy/types.js';
import { bootstrap } from '../../src/inject/bootstrap.js';
import { defaultMeshConfig } from '../../src/model/mesh-config.js';
import type { Telemetry } from '../../src/model/telemetry.js';
import { type RunningEnvoy, startEnvoy } from '../../src/proxy/run.js';
import { type Cleanup, envoyBinary, temporaryFolder } from './envoy.js';
import { freePorts } from './port.js';

/** The identity of both ends. */
export const peer = 'spiffe://cluster.local/ns/shop/sa/web';

/** As the injector sets it in the sidecar of a Pod. */
Object.assign(process.env, {
  POD_NAMESPACE: 'shop',
  POD_SERVICE_ACCOUNT: 'web',
  OTEL_RESOURCE_ATTRIBUTES: 'service.name=web,service.namespace=shop',
});

/** An Envoy that plays both sidecars: HTTP on `http` goes by mutual TLS to its own inbound listener and from there to the app; TCP on `tcp` to the TCP app. */
export interface Proxy {
  readonly http: number;
  /** Where the same calls arrive in plaintext. */
  readonly plain: number;
  readonly tcp: number;
  readonly envoy: RunningEnvoy;
  /** The lines of JSON on its standard output. */
  readonly log: () => Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** Starts one that tells what `telemetry` says. */
export async function startProxy(t: Cleanup, telemetry: Telemetry, appPort: number, tcpPort = appPort): Promise<Proxy> {
  const folder = await temporaryFolder(t);
  const [http = 0, tls = 0, plain = 0, tcp = 0] = await freePorts(4);
  const mutual = await mutualTls(folder);
  const logs = (calls: Calls) => accessLogs(calls, { ...defaultMeshConfig, telemetry });
  const listeners: readonly Listener[] = [
    listener('outbound', http, [manager('web', { access_log: logs({ direction: 'outbound', protocol: 'http' }), ...tracing(telemetry) })]),
    listener('inbound', tls, [manager('app', inboundFields(logs, telemetry))], mutual.server),
    listener('plain', plain, [manager('app', inboundFields(logs, telemetry))]),
    listener('tcp', tcp, [tcpProxy('db', { access_log: logs({ direction: 'outbound', protocol: 'tcp' }) })]),
  ];
  const clusters: readonly Cluster[] = [
    { ...cluster('web', tls), ...destinationMetadata('web.shop.80'), ...mutual.client },
    cluster('app', appPort),
    { ...cluster('db', tcpPort), ...destinationMetadata('db.shop.3306') },
    ...collectorOf(telemetry),
  ];
  const adminSocket = join(folder, 'admin.sock');
  const { dynamic_resources: _, ...made } = bootstrap({
    proxy: { namespace: 'shop', pod: 'web-1', serviceAccount: 'web', labels: {}, zone: '', client: 'captured' },
    controlPlane: { host: '127.0.0.1', port: 1 },
    adminSocket,
    health: false,
  });
  const configuration: Bootstrap = { ...made, static_resources: { listeners, clusters } };
  const outputFile = join(folder, 'envoy.out');
  const envoy = await startEnvoy({ binary: await envoyBinary(), bootstrap: configuration, outputFile, args: ['--file-flush-interval-msec', '20'] });
  t.after(envoy.stop);
  await envoy.ready();
  const log = async () => (await readFile(outputFile, 'utf8')).split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  return { http, plain, tcp, envoy, log };
}

function inboundFields(logs: (calls: Calls) => HttpConnectionManager['access_log'], telemetry: Telemetry): HttpConnectionManager {
  return { access_log: logs({ direction: 'inbound', protocol: 'http', destination: 'web.shop.80', fields: { rule: '%REQ(X-RULE)%' } }), ...tracing(telemetry) };
}

/** One self-signed certificate with the SPIFFE id, for both ends. */
async function mutualTls(folder: string) {
  const [key, certificate] = [join(folder, 'tls.key'), join(folder, 'tls.crt')];
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=web'],
    ...['-addext', `subjectAltName=URI:${peer}`, '-keyout', key, '-out', certificate],
  ]);
  const common_tls_context = {
    tls_certificates: [{ certificate_chain: { filename: certificate }, private_key: { filename: key } }],
    validation_context: { trusted_ca: { filename: certificate } },
  };
  const client = typed('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext', { common_tls_context });
  const server = typed('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', { require_client_certificate: true, common_tls_context });
  const socket = (typed_config: Any) => ({ transport_socket: { name: 'envoy.transport_sockets.tls', typed_config } });
  return { client: socket(client), server: socket(server) };
}

function listener(name: string, port: number, filters: readonly NetworkFilter[], more: FilterChain = {}): Listener {
  const traffic_direction = name === 'inbound' ? 'INBOUND' : 'OUTBOUND';
  return { name, traffic_direction, address: { socket_address: { address: '127.0.0.1', port_value: port } }, filter_chains: [{ filters, ...more }] };
}

function manager(to: string, fields: HttpConnectionManager): NetworkFilter {
  const configuration: HttpConnectionManager = {
    stat_prefix: to,
    route_config: { virtual_hosts: [{ name: to, domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: to } }] }] },
    http_filters: [{ name: 'envoy.filters.http.router', typed_config: typed('envoy.extensions.filters.http.router.v3.Router', {}) }],
    ...fields,
  };
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: typed('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', configuration),
  };
}

function cluster(name: string, port: number): Cluster {
  const address = { socket_address: { address: '127.0.0.1', port_value: port } };
  return { name, type: 'STATIC', load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] } };
}

/** As the compiler makes it. */
function collectorOf(telemetry: Telemetry): readonly Cluster[] {
  const { message } = collector(telemetry);
  if (!message) return [];
  const { '@type': _, ...fields } = message;
  return [fields];
}
