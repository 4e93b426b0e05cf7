/** The listeners of an Envoy beside an app. Nothing of a listener but its filter chains ever changes, since that would drain every connection. */
import type { ResourceName } from '../envoy/resource.js';
import { type Any, type FilterChain, type Listener, type Message, typed, typeUrl } from '../envoy/types.js';
import type { PortTable } from '../model/mesh.js';
import type { MeshConfig } from '../model/mesh-config.js';
import { capturedHttp, explicitHttp } from './http-listener.js';
import { createMemo } from './memo.js';
import { explicitListener, formatAddress, inboundCluster, inboundListener, outboundListener, outboundRoutes, passthroughCluster } from './names.js';
import { nothing, type Part } from './part.js';
import type { MeshSettings } from './settings.js';
import { onDemandTcp, tcpProxy } from './tcp-filters.js';

type CidrRange = Message<'envoy.config.core.v3.CidrRange'>;

const outboundPort = 15_001;
const inboundPort = 15_006;

/** Restores the address that was called before the redirection. No filter here reads from the connection, so none can stall a server that speaks first. */
const originalDestination = {
  name: 'envoy.filters.listener.original_dst',
  typed_config: typed('envoy.extensions.filters.listener.original_dst.v3.OriginalDst', {}),
};

const outbounds = createMemo<Part>();
const inbounds = createMemo<Part>();
const explicits = createMemo<Part>();

/**
 * Where all captured outgoing connections arrive. Envoy looks for the chain by port first, then by address: an address outside
 * the mesh on a port that is HTTP inside it falls through to the default chain, and passes untouched. With RegistryOnly outside
 * addresses are asked for too, like those of the mesh; the chains of the mesh stay as they are, so that none is drained.
 */
export function outbound(ports: PortTable, egress: MeshConfig['egress'], settings: MeshSettings): Part {
  return outbounds([ports, egress, settings], () => {
    const ranges = settings.meshCidrs.map(toCidr);
    const filter_chains: readonly FilterChain[] = [
      toItself(outboundPort),
      ...ports.httpPorts.map((port) => chain(`http-${port}`, { prefix_ranges: ranges, destination_port: port }, [capturedHttp])),
      ...ports.exceptions.map(({ address, port }) =>
        chain(`tcp-${formatAddress(address, port)}`, { prefix_ranges: [single(address)], destination_port: port }, onDemandTcp),
      ),
      chain('tcp', { prefix_ranges: ranges }, onDemandTcp),
      ...(egress === 'RegistryOnly' ? ports.httpPorts.map((port) => chain(`outside-http-${port}`, { destination_port: port }, [capturedHttp])) : []),
    ];
    const listener: Listener = {
      ...bound(outboundListener, outboundPort, settings),
      traffic_direction: 'OUTBOUND',
      filter_chains,
      default_filter_chain: egress === 'RegistryOnly' ? outsideOnDemand : outsideAsIs,
    };
    return part(listener, [cluster(passthroughCluster), ...(ports.httpPorts.length > 0 ? [routes] : [])]);
  });
}

/** Who calls the listener's own port would have it call itself, again and again. Without a filter the connection is closed. */
function toItself(port: number): FilterChain {
  return chain('itself', { destination_port: port }, []);
}

const outsideAsIs: FilterChain = { name: passthroughCluster, filters: [tcpProxy(passthroughCluster)] };
const outsideOnDemand: FilterChain = { name: 'outside-tcp', filters: onDemandTcp };

/** Where all captured incoming connections arrive; for now they go on to the app as they are. */
export function inbound(settings: MeshSettings): Part {
  return inbounds([settings], () => {
    const listener: Listener = {
      ...bound(inboundListener, inboundPort, settings),
      traffic_direction: 'INBOUND',
      filter_chains: [toItself(inboundPort)],
      default_filter_chain: { name: inboundCluster, filters: [tcpProxy(inboundCluster)] },
    };
    return part(listener, [cluster(inboundCluster)]);
  });
}

/** Where an app that is told to use an HTTP proxy reaches its Envoy: on loopback only, since it lets its caller in everywhere. */
export function explicit(port: number): Part {
  return explicits([port], () => {
    const listener: Listener = {
      name: explicitListener,
      address: { socket_address: { address: '127.0.0.1', port_value: port } },
      traffic_direction: 'OUTBOUND',
      filter_chains: [{ name: 'http', filters: [explicitHttp] }],
    };
    return part(listener, [routes]);
  });
}

const routes: ResourceName = { type: 'RouteConfiguration', name: outboundRoutes };

function cluster(name: string): ResourceName {
  return { type: 'Cluster', name };
}

function part(listener: Listener, references: readonly ResourceName[]): Part {
  const message: Any = { '@type': typeUrl('envoy.config.listener.v3.Listener'), ...listener };
  return { ...nothing, message, references };
}

function bound(name: string, port: number, { ipv6 }: MeshSettings): Listener {
  const at = (address: string) => ({ address: { socket_address: { address, port_value: port } } });
  return { name, ...at('0.0.0.0'), ...(ipv6 ? { additional_addresses: [at('::')] } : {}), listener_filters: [originalDestination] };
}

function chain(name: string, match: Message<'envoy.config.listener.v3.FilterChainMatch'>, filters: FilterChain['filters']): FilterChain {
  return { name, filter_chain_match: match, filters };
}

function single(address: string): CidrRange {
  return { address_prefix: address, prefix_len: address.includes(':') ? 128 : 32 };
}

function toCidr(text: string): CidrRange {
  const slash = text.lastIndexOf('/');
  return slash < 0 ? single(text) : { address_prefix: text.slice(0, slash), prefix_len: Number(text.slice(slash + 1)) };
}
