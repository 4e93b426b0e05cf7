/** Ports of pods behind one real Envoy, each with the filter chain that some policies come to. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inboundFilters } from '../../../src/compile/inbound-chain.js';
import { inboundPortCluster } from '../../../src/compile/names.js';
import { encode } from '../../../src/envoy/encode.js';
import { type Bootstrap, type FilterChain, typed } from '../../../src/envoy/types.js';
import type { Authorization } from '../../../src/features/authorization/schema.js';
import type { ServerStanza } from '../../../src/features/feature.js';
import { leanStats } from '../../../src/inject/bootstrap-stats.js';
import { defaultMeshConfig, type MeshConfig } from '../../../src/model/mesh-config.js';
import { keyOf } from '../../../src/model/name.js';
import type { Protocol, Service } from '../../../src/model/service.js';
import { type RunningEnvoy, startEnvoy } from '../../../src/proxy/run.js';
import { type Cleanup, envoyBinary, temporaryFolder } from '../../support/envoy.js';
import type { Credentials } from './callers.js';

/** One port of a pod. */
export interface Site<Value extends object = Authorization> {
  readonly stanzas: readonly ServerStanza<Value>[];
  readonly isMtls: boolean;
  readonly protocol: Protocol;
  /** Other stanzas of the same port, by name. */
  readonly others?: ReadonlyMap<string, readonly ServerStanza<object>[]>;
}

/** A line of the access log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** An Envoy with such ports, each under an address of its own. */
export interface Sites {
  readonly envoy: RunningEnvoy;
  /** Where the site of this number listens. */
  readonly at: (index: number) => { readonly host: string; readonly port: number };
  /** Ends Envoy, which then has written all of its access log. */
  readonly readLog: () => Promise<readonly LogLine[]>;
}

/** What the sites have in common. */
export interface SiteOptions {
  readonly credentials: Credentials;
  /** The port of the app, which gets what is let through. */
  readonly app: number;
}

/** The port on which the pods listen, as rules know it. */
export const podPort = 8080;

const config: MeshConfig = { ...defaultMeshConfig, telemetry: { metrics: { mode: 'Enabled' }, accessLog: { mode: 'All', output: 'Stdout' } } };

/** The trust domain of all callers. */
export const { trustDomain } = config;

/** Starts an Envoy with the filter chains that the compiler makes of the stanzas. */
export async function startSites<Value extends object>(t: Cleanup, stanza: string, sites: readonly Site<Value>[], options: SiteOptions): Promise<Sites> {
  const folder = await temporaryFolder(t);
  const outputFile = join(folder, 'access.log');
  const chains = sites.map((site, index) => ({ site, chain: chainOf(site, index, stanza, options) }));
  const listener = (name: string, isMtls: boolean) => ({
    name,
    address: { socket_address: { address: '0.0.0.0', port_value: 0 } },
    traffic_direction: 'INBOUND' as const,
    filter_chains: [...chains.filter(({ site }) => site.isMtls === isMtls).map(({ chain }) => chain), unused],
  });
  const bootstrap: Bootstrap = {
    admin: { address: { pipe: { path: join(folder, 'admin.sock') } } },
    layered_runtime: { layers: [{ name: 'static', static_layer: { 're2.max_program_size.error_level': 32_768 } }] },
    stats_config: leanStats,
    static_resources: { listeners: [listener('mtls', true), listener('plain', false)], clusters: [appCluster(options.app)] },
  };
  const file = join(folder, 'bootstrap.pb');
  await writeFile(file, encode('envoy.config.bootstrap.v3.Bootstrap', bootstrap));
  const envoy = await startEnvoy({ binary: await envoyBinary(), bootstrap: { admin: bootstrap.admin }, args: ['-c', file], outputFile });
  t.after(envoy.stop);
  await envoy.ready();
  const listeners = await envoy.admin('/listeners');
  const [mtls, plain] = ['mtls', 'plain'].map((name) => Number(new RegExp(`^${name}::.*:([0-9]+)$`, 'm').exec(listeners)?.[1]));
  const readLog = async () => {
    await envoy.stop();
    const text = await readFile(outputFile, 'utf8');
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  };
  return { envoy, at: (index) => ({ host: addressOf(index), port: (sites[index]?.isMtls ? mtls : plain) ?? 0 }), readLog };
}

/** The sites of the authorization stanza. */
export function startAuthorized(t: Cleanup, sites: readonly Site[], options: SiteOptions): Promise<Sites> {
  return startSites(t, 'authorization', sites, options);
}

/** Each site has an address of 127.0.0.0/8, by which its chain is chosen. */
function addressOf(index: number): string {
  return `127.1.${Math.floor(index / 250)}.${(index % 250) + 1}`;
}

function chainOf<Value extends object>(
  { stanzas, isMtls, protocol, others = new Map() }: Site<Value>,
  index: number,
  name: string,
  { credentials }: SiteOptions,
): FilterChain {
  const port = { name: '', port: 80, targetPort: podPort, protocol, protocolReason: '' };
  const service: Service = {
    key: keyOf('shop', serviceOf(index)),
    namespace: 'shop',
    name: serviceOf(index),
    clusterIPs: [],
    ports: [port],
    publishNotReadyAddresses: false,
    selector: {},
    creationTimestamp: '',
  };
  const inbound = { number: podPort, protocol, serverNames: [], service, port, strict: false, stanzas: new Map([...others, [name, stanzas]]) };
  return {
    name: `site ${index}`,
    filter_chain_match: { prefix_ranges: [{ address_prefix: addressOf(index), prefix_len: 32 }] },
    filters: inboundFilters(inbound, isMtls ? 'mtls' : 'plaintext', config),
    ...(isMtls ? { transport_socket: tlsOf(credentials) } : {}),
  };
}

/** The name of the Service of a site. */
export function serviceOf(index: number): string {
  return `site-${index}`;
}

/** A listener without a chain is refused. */
const unused: FilterChain = {
  name: 'unused',
  filter_chain_match: { prefix_ranges: [{ address_prefix: '192.0.2.1', prefix_len: 32 }] },
  filters: [
    {
      name: 'envoy.filters.network.direct_response',
      typed_config: typed('envoy.extensions.filters.network.direct_response.v3.Config', {}),
    },
  ],
};

function appCluster(port: number) {
  const name = inboundPortCluster(podPort);
  const address = { socket_address: { address: '127.0.0.1', port_value: port } };
  return { name, load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] } };
}

function tlsOf({ authority, server }: Credentials) {
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: typed('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', {
      require_client_certificate: true,
      common_tls_context: {
        tls_params: { tls_minimum_protocol_version: 'TLSv1_3', tls_maximum_protocol_version: 'TLSv1_3' },
        alpn_protocols: ['h2', 'http/1.1'],
        tls_certificates: [{ certificate_chain: { inline_string: server.certificate }, private_key: { inline_string: server.key } }],
        validation_context: { trusted_ca: { inline_string: authority } },
      },
    }),
  };
}
