/** The cluster through which a sidecar reaches its control plane. */
import { isIP } from 'node:net';
import { type Any, type Cluster, typed } from '../envoy/types.js';
import { caSecret, subjectMatch, tokenSecret } from './sds-files.js';

/** Where the control plane is and how to talk to it. */
export interface ControlPlane {
  /** A host name (all its addresses are used) or an IP address. */
  readonly host: string;
  readonly port: number;
  /** Without it the connection is in plaintext, which suits loopback only. */
  readonly tls?: ControlPlaneTls | undefined;
  /**
   * Path of an SDS file with a generic secret `cp-token`, which Envoy puts on the stream as `authorization: Bearer ...` and
   * reads again when it rotates.
   */
  readonly tokenSecretFile?: string | undefined;
}

/** TLS towards the control plane. */
export type ControlPlaneTls = ControlPlaneName & (FixedTrust | RotatedTrust);

interface ControlPlaneName {
  /** The name that is sent as SNI and that the server's certificate must bear. */
  readonly serverName: string;
  /** The certificate to show, for mutual TLS. */
  readonly client?: { readonly certificateFile: string; readonly keyFile: string } | undefined;
}

interface FixedTrust {
  /** PEM file of the certificates that are trusted; read once. */
  readonly caFile: string;
}

interface RotatedTrust {
  /** Path of an SDS file with a validation context `cp-ca`, which is read again when it rotates; it has to match the name too. */
  readonly caSecretFile: string;
}

/** The static cluster `xds`: HTTP/2 with keepalive, so that a control plane that vanished without a word is noticed. */
export function controlPlaneCluster(controlPlane: ControlPlane): Cluster {
  const address = { socket_address: { address: controlPlane.host, port_value: controlPlane.port } };
  return {
    name: 'xds',
    type: isIP(controlPlane.host) ? 'STATIC' : 'STRICT_DNS',
    connect_timeout: '0.5s',
    load_assignment: { cluster_name: 'xds', endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    typed_extension_protocol_options: { 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': protocolOptions(controlPlane.tokenSecretFile) },
    ...(controlPlane.tls ? { transport_socket: { name: 'envoy.transport_sockets.tls', typed_config: tlsContext(controlPlane.tls) } } : {}),
  };
}

function protocolOptions(tokenSecretFile: string | undefined): Any {
  return typed('envoy.extensions.upstreams.http.v3.HttpProtocolOptions', {
    explicit_http_config: { http2_protocol_options: { connection_keepalive: { interval: '5s', timeout: '5s' } } },
    ...(tokenSecretFile === undefined ? {} : { http_filters: [injectToken(tokenSecretFile), upstreamCodec] }),
  });
}

/** An SDS file, not a static secret: Envoy never reads a static one again. */
function injectToken(path: string) {
  const generic = typed('envoy.extensions.http.injected_credentials.generic.v3.Generic', {
    credential: secretIn(path, tokenSecret),
    header_value_prefix: 'Bearer ',
  });
  const credential = { name: 'envoy.http.injected_credentials.generic', typed_config: generic };
  return {
    name: 'envoy.filters.http.credential_injector',
    typed_config: typed('envoy.extensions.filters.http.credential_injector.v3.CredentialInjector', { overwrite: true, credential }),
  };
}

const upstreamCodec = {
  name: 'envoy.filters.http.upstream_codec',
  typed_config: typed('envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec', {}),
};

/** The file says itself what is to be watched. */
function secretIn(path: string, name: string) {
  return { name, sds_config: { resource_api_version: 'V3' as const, path_config_source: { path } } };
}

/** TLS 1.3 is said out loud: as a client Envoy offers 1.2 otherwise. */
function tlsContext(tls: ControlPlaneTls): Any {
  const { serverName, client } = tls;
  return typed('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext', {
    ...(isIP(serverName) ? {} : { sni: serverName }),
    common_tls_context: {
      alpn_protocols: ['h2'],
      tls_params: { tls_minimum_protocol_version: 'TLSv1_3', tls_maximum_protocol_version: 'TLSv1_3' },
      ...trust(tls),
      ...(client ? { tls_certificates: [{ certificate_chain: { filename: client.certificateFile }, private_key: { filename: client.keyFile } }] } : {}),
    },
  });
}

function trust(tls: ControlPlaneTls) {
  if ('caSecretFile' in tls) return { validation_context_sds_secret_config: secretIn(tls.caSecretFile, caSecret) };
  return { validation_context: { trusted_ca: { filename: tls.caFile }, match_typed_subject_alt_names: [subjectMatch(tls.serverName)] } };
}
