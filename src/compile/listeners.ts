/** The listeners of an Envoy beside an app. Nothing of a listener but its filter chains ever changes, since that would drain every connection. */

import type { ResourceName } from '../envoy/resource.js';
import { type Any, type FilterChain, type Listener, type Message, typed, typeUrl } from '../envoy/types.js';
import type { PortTable } from '../model/mesh.js';
import type { MeshConfig } from '../model/mesh-config.js';
import { outboundPort } from '../model/sidecar-ports.js';
import type { Provenance } from './contract.js';
import { capturedHttp, explicitHttp } from './http-listener.js';
import { createMemo } from './memo.js';
import { explicitListener, formatAddress, outboundListener, outboundRoutes, passthroughCluster } from './names.js';
import { nothing, type Part } from './part.js';
import type { MeshSettings } from './settings.js';
import { onDemandTcp, passthroughTcp } from './tcp-filters.js';
import type { TelemetryConfig } from './telemetry.js';
import { collectorReferences } from './telemetry-collector.js';

type CidrRange = Message<'envoy.config.core.v3.CidrRange'>;

/** Restores the address that was called before the redirection. No filter here reads from the connection, so none can stall a server that speaks first. */
const originalDestination = {
  name: 'envoy.filters.listener.original_dst',
  typed_config: typed('envoy.extensions.filters.listener.original_dst.v3.OriginalDst', {}),
};

const outbounds = createMemo<Part>();
const explicits = createMemo<Part>();

/**
 * Where all captured outgoing connections arrive. Envoy looks for the chain by port first, then by address: an address outside
 * the mesh on a port that is HTTP inside it falls through to the default chain, and passes untouched. With RegistryOnly outside
 * addresses are asked for too, like those of the mesh; the chains of the mesh stay as they are, so that none is drained.
 */
export function outbound(ports: PortTable, namespace: string, config: MeshConfig, settings: MeshSettings): Part {
  const { egress, telemetry, trustDomain } = config;
  const hasOwn = ports.exceptions.some((exception) => exception.namespace === namespace);
  return outbounds([ports, egress, telemetry, trustDomain, settings, hasOwn ? namespace : ''], () => {
    const exceptions = ports.exceptions.filter((exception) => (exception.namespace ?? namespace) === namespace);
    const [http, tcp] = [[capturedHttp(config)], onDemandTcp(config)];
    const ranges = settings.meshCidrs.map(toCidr);
    const filter_chains: readonly FilterChain[] = [
      toItself(outboundPort),
      ...ports.httpPorts.map((port) => chain(`http-${port}`, { prefix_ranges: ranges, destination_port: port }, http)),
      ...exceptions.map(({ address, port }) => chain(`tcp-${formatAddress(address, port)}`, { prefix_ranges: [single(address)], destination_port: port }, tcp)),
      chain('tcp', { prefix_ranges: ranges }, tcp),
      ...(egress === 'RegistryOnly' ? ports.httpPorts.map((port) => chain(`outside-http-${port}`, { destination_port: port }, http)) : []),
    ];
    const listener: Listener = {
      ...bound(outboundListener, outboundPort, settings),
      traffic_direction: 'OUTBOUND',
      filter_chains,
      default_filter_chain: egress === 'RegistryOnly' ? { name: 'outside-tcp', filters: tcp } : { name: passthroughCluster, filters: passthroughTcp(config) },
    };
    return listenerPart(listener, [toCluster(passthroughCluster), ...collectorReferences(telemetry), ...(ports.httpPorts.length > 0 ? [routes] : [])]);
  });
}

/** Where an app that is told to use an HTTP proxy reaches its Envoy: on loopback only, since it lets its caller in everywhere. */
export function explicit(port: number, config: TelemetryConfig): Part {
  return explicits([port, config.telemetry, config.trustDomain], () => {
    const listener: Listener = {
      name: explicitListener,
      address: { socket_address: { address: '127.0.0.1', port_value: port } },
      traffic_direction: 'OUTBOUND',
      filter_chains: [{ name: 'http', filters: [explicitHttp(config)] }],
    };
    return listenerPart(listener, [...collectorReferences(config.telemetry), routes]);
  });
}

const routes: ResourceName = { type: 'RouteConfiguration', name: outboundRoutes };

/** A Cluster as something that is needed. */
export function toCluster(name: string): ResourceName {
  return { type: 'Cluster', name };
}

/** A listener as an answer. */
export function listenerPart(listener: Listener, references: readonly ResourceName[], provenance: readonly Provenance[] = []): Part {
  const message: Any = { '@type': typeUrl('envoy.config.listener.v3.Listener'), ...listener };
  return { ...nothing, message, references, provenance };
}

/** What of a listener for captured connections never changes. */
export function bound(name: string, port: number, { ipv6 }: MeshSettings): Listener {
  const at = (address: string) => ({ address: { socket_address: { address, port_value: port } } });
  return { name, ...at('0.0.0.0'), ...(ipv6 ? { additional_addresses: [at('::')] } : {}), listener_filters: [originalDestination] };
}

/** Who calls the listener's own port would have it call itself, again and again. Without a filter the connection is closed. */
export function toItself(port: number): FilterChain {
  return chain('itself', { destination_port: port }, []);
}

/** A filter chain for some of the connections. */
export function chain(name: string, match: Message<'envoy.config.listener.v3.FilterChainMatch'>, filters: FilterChain['filters']): FilterChain {
  return { name, filter_chain_match: match, filters };
}

function single(address: string): CidrRange {
  return { address_prefix: address, prefix_len: address.includes(':') ? 128 : 32 };
}

function toCidr(text: string): CidrRange {
  const slash = text.lastIndexOf('/');
  return slash < 0 ? single(text) : { address_prefix: text.slice(0, slash), prefix_len: Number(text.slice(slash + 1)) };
}
