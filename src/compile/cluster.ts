/** The Cluster of a port of a Service: how calls to its endpoints are made. */

import type { ResourceName } from '../envoy/resource.js';
import { type Any, type Cluster, type HttpProtocolOptions, typed, typeUrl } from '../envoy/types.js';
import type { BackendContext, ClusterParts } from '../features/feature.js';
import type { Protocol, Service, ServicePort } from '../model/service.js';
import type { Audience, Provenance } from './contract.js';
import { type Contribution, clusterContributions, provenanceOf } from './contributions.js';
import type { Effective } from './effective.js';
import { lbEndpoint } from './lb-endpoint.js';
import { createMemo } from './memo.js';
import { merge } from './merge.js';
import { statName } from './names.js';
import type { Part } from './part.js';
import { adsForEndpoints } from './sources.js';
import { destinationMetadata, destinationName } from './telemetry.js';
import { defaultThresholds } from './thresholds.js';
import { maxHttpAge, serverName, toMesh } from './tls.js';

/** Where a cluster's endpoints come from. */
export type EndpointSource =
  /** A ClusterLoadAssignment of this name. */
  | { readonly kind: 'eds'; readonly serviceName: string }
  /** One address, known by the cluster's name. */
  | { readonly kind: 'static'; readonly address: string; readonly port: number; readonly isMeshed: boolean };

/** What a service's cluster is made of. */
export interface ClusterInput {
  readonly name: string;
  readonly service: Service;
  readonly port: ServicePort;
  readonly effective: Effective;
  readonly client: Audience['client'];
  readonly source: EndpointSource;
  /** Whether it carries raw TCP, whatever the port's protocol. */
  readonly raw: boolean;
  /** The SPIFFE ids that may answer over mutual TLS; none where all is plaintext. */
  readonly ids: readonly string[];
}

/** Long enough for two lost SYNs (sent again after 1 s and 3 s), short enough for a retry elsewhere while the caller waits. */
const defaultConnectTimeout = '5s';

const memo = createMemo<Part>();

/** The cluster; the same object for the same input. */
export function serviceCluster(input: ClusterInput): Part {
  const { service, port, effective, client, name, ids } = input;
  const isMeshed = input.source.kind === 'static' && input.source.isMeshed;
  return memo([service, effective, port, client, name, ids.join(' '), isMeshed], () => build(input));
}

function build(input: ClusterInput): Part {
  const context: BackendContext = { protocol: input.raw ? 'TCP' : httpProtocol(input.port.protocol), client: input.client };
  const contributions = clusterContributions(input.effective, context);
  const message: Any = { '@type': typeUrl('envoy.config.cluster.v3.Cluster'), ...clusterMessage(input, contributions) };
  return { message, references: references(input.source), provenance: provenance(input.service, contributions), diagnostics: [] };
}

/** A port that declares no HTTP but is asked for by name over HTTP is called as HTTP: its caller knows. */
function httpProtocol(protocol: Protocol): Protocol {
  return protocol === 'TCP' ? 'HTTP' : protocol;
}

function clusterMessage(input: ClusterInput, contributions: readonly Contribution<ClusterParts>[]): Cluster {
  const base = baseCluster(input);
  const { message } = merge(
    base,
    contributions.map(({ parts }) => parts.cluster ?? {}),
  );
  const thresholds = merge(
    input.client === 'grpc' ? {} : defaultThresholds,
    contributions.map(({ parts }) => parts.thresholds ?? {}),
  ).message;
  return {
    ...message,
    ...(Object.keys(thresholds).length > 0 ? { circuit_breakers: { thresholds: [thresholds] } } : {}),
    ...(input.raw || input.client === 'grpc'
      ? {}
      : protocolOptions(
          input.port.protocol,
          input.ids.length > 0,
          contributions.map(({ parts }) => parts.httpProtocolOptions ?? {}),
        )),
  };
}

/**
 * Least request finds slow endpoints by itself; the order of a list does not matter to it, as it does to round robin when many
 * proxies begin at once. Proxyless gRPC knows round robin everywhere and least request in some languages only.
 */
function baseCluster({ name, service, port, client, source, ids }: ClusterInput): Cluster {
  const endpoints = endpointSource(name, source);
  if (client === 'grpc') return { name, ...endpoints, lb_policy: 'ROUND_ROBIN' };
  const transport = ids.length > 0 ? toMesh(serverName(port), ids) : {};
  const told = destinationMetadata(destinationName(service, port));
  return {
    name,
    alt_stat_name: statName(service, port),
    ...told,
    ...endpoints,
    ...transport,
    connect_timeout: defaultConnectTimeout,
    lb_policy: 'LEAST_REQUEST',
  };
}

function endpointSource(name: string, source: EndpointSource): Cluster {
  if (source.kind === 'eds') {
    const serviceName = source.serviceName === name ? {} : { service_name: source.serviceName };
    return { type: 'EDS', eds_cluster_config: { eds_config: adsForEndpoints, ...serviceName } };
  }
  return { type: 'STATIC', load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [lbEndpoint(source.address, source.port, source.isMeshed)] }] } };
}

const httpProtocolOptionsName = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/** A port said to be HTTP takes both versions or only 1.1, nobody knows: it gets the version that the app chose. HTTP2 and GRPC say theirs. */
function protocolOptions(protocol: Protocol, isMutual: boolean, fragments: readonly HttpProtocolOptions[]): Cluster {
  const versions: HttpProtocolOptions =
    protocol === 'HTTP2' || protocol === 'GRPC'
      ? { explicit_http_config: { http2_protocol_options: {} } }
      : { use_downstream_protocol_config: { http_protocol_options: {}, http2_protocol_options: {} } };
  const base = isMutual ? { ...versions, common_http_protocol_options: maxHttpAge } : versions;
  const { message } = merge<HttpProtocolOptions>(base, fragments);
  return { typed_extension_protocol_options: { [httpProtocolOptionsName]: typed(httpProtocolOptionsName, message) } };
}

function references(source: EndpointSource): readonly ResourceName[] {
  return source.kind === 'eds' ? [{ type: 'ClusterLoadAssignment', name: source.serviceName }] : [];
}

function provenance(service: Service, contributions: readonly Contribution<ClusterParts>[]): readonly Provenance[] {
  const object = { kind: 'Service', namespace: service.namespace, name: service.name };
  return [
    { object, field: '', part: '' },
    ...contributions.flatMap((contribution) => [
      ...provenanceOf(contribution.parts.cluster, contribution, ''),
      ...provenanceOf(contribution.parts.thresholds, contribution, 'circuit_breakers.thresholds[0].'),
      ...provenanceOf(contribution.parts.httpProtocolOptions, contribution, `typed_extension_protocol_options.${httpProtocolOptionsName}.`),
    ]),
  ];
}
