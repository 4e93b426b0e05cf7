/** Mutual TLS between sidecars: both ends of it. */
import { type Cluster, type FilterChain, type Message, typed } from '../envoy/types.js';
import { leafName, rootsName } from '../model/secret-names.js';
import type { ServicePort } from '../model/service.js';
import { ads } from './sources.js';

/** Connections keep the certificate that they began with, so none may grow old: an identity that was taken away ends with its last one. A connection waits for the streams that are open on it. */
export const maxHttpAge = { max_connection_duration: '3600s', max_connection_duration_jitter: { value: 10 }, max_stream_duration: '86400s' } as const;
/** TCP connections are cut off rather than drained, so they may grow older: a day, however long certificates live. */
export const maxTcpAge = { max_downstream_connection_duration: '86400s', max_downstream_connection_duration_jitter_percentage: { value: 10 } } as const;

/** The server name by which a caller says which port of the app it means. It follows from the Service alone, not from its endpoints. */
export function serverName({ targetPort }: Pick<ServicePort, 'targetPort'>): string {
  return typeof targetPort === 'number' ? `p${targetPort}.weft` : `${targetPort}.port.weft`;
}

/** What an endpoint's metadata holds under {@link matchKey} when it takes mutual TLS. */
export const meshMatch = { mesh: '1' } as const;
/** Where Envoy looks for it. */
export const matchKey = 'envoy.transport_socket_match';

/** The transport of a Cluster: mutual TLS to the endpoints that are marked for it, which must be one of these SPIFFE ids; plaintext to the others. */
export function toMesh(sni: string, ids: readonly string[]): Cluster {
  const match_typed_subject_alt_names = ids.map((exact) => ({ san_type: 'URI' as const, matcher: { exact } }));
  const context = typed('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext', {
    sni,
    common_tls_context: common({ match_typed_subject_alt_names }),
  });
  return { transport_socket_matches: [{ name: 'mesh', match: meshMatch, transport_socket: { name: tlsName, typed_config: context } }] };
}

/** The transport of a filter chain that takes mutual TLS from any workload of the trust domain, and from nobody else who has a certificate below the same root. HTTP/2 callers find it by ALPN. */
export function fromMesh(trustDomain: string): NonNullable<FilterChain['transport_socket']> {
  const match_typed_subject_alt_names = [{ san_type: 'URI' as const, matcher: { prefix: `spiffe://${trustDomain}/` } }];
  const context = typed('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', {
    require_client_certificate: true,
    ...noResumption,
    common_tls_context: { ...common({ match_typed_subject_alt_names }), alpn_protocols: ['h2', 'http/1.1'] },
  });
  return { name: tlsName, typed_config: context };
}

/** Who resumes a session is not asked for a certificate again, so that one that has expired would do. */
const noResumption = { disable_stateless_session_resumption: true, disable_stateful_session_resumption: true } as const;

const tlsName = 'envoy.transport_sockets.tls';

/** As a client Envoy would begin with TLS 1.2 if it were let. */
function common(defaults: Message<'envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext'>) {
  return {
    tls_params: { tls_minimum_protocol_version: 'TLSv1_3' as const, tls_maximum_protocol_version: 'TLSv1_3' as const },
    tls_certificate_sds_secret_configs: [{ name: leafName, sds_config: ads }],
    combined_validation_context: { default_validation_context: defaults, validation_context_sds_secret_config: { name: rootsName, sds_config: ads } },
  };
}
