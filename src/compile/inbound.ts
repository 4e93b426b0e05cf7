/** The listeners for calls to the app. As with the others nothing but filter chains ever changes, and a chain only with what concerns its port. */
import type { ResourceName } from '../envoy/resource.js';
import { type FilterChain, type Listener, typed } from '../envoy/types.js';
import type { MeshConfig } from '../model/mesh-config.js';
import { leafName, rootsName } from '../model/secret-names.js';
import { inboundPort, mutualTlsPort } from '../model/sidecar-ports.js';
import type { Provenance } from './contract.js';
import type { Request } from './destination.js';
import { inboundFilters, refuse } from './inbound-chain.js';
import { type InboundPort, inboundPorts, inboundUses, keysOf } from './inbound-ports.js';
import { bound, chain, listenerPart, toCluster, toItself } from './listeners.js';
import { createMemo } from './memo.js';
import { inboundCluster, inboundListener, inboundPortCluster, mutualTlsListener } from './names.js';
import type { Part } from './part.js';
import type { MeshSettings } from './settings.js';
import { tcpProxy } from './tcp-filters.js';
import { collectorReferences } from './telemetry-collector.js';
import { fromMesh } from './tls.js';

const asIs = createMemo<Part>();
const plain = createMemo<Part>();
const mutual = createMemo<Part>();

/** Where all captured incoming connections arrive that are no mutual TLS of the mesh. */
export function inbound({ mesh, audience, settings }: Request): Part {
  if (!settings.mtls) return asIs([settings], () => listenerPart(plainListener([], 'Permissive', settings), [toCluster(inboundCluster)]));
  const uses = inboundUses(mesh, audience);
  const config = mesh.config();
  return plain([settings, config, ...keysOf(uses)], () => {
    const ports = inboundPorts(uses, config.mtls);
    const chains = ports.map((port) => plainChain(port, config));
    return listenerPart(plainListener(chains, config.mtls, settings), [toCluster(inboundCluster), ...references(ports, config)], provenance(ports, plainName));
  });
}

/** Ports that no Service names have no name in the mesh either: where the mesh is Strict nobody can call them. */
function plainListener(filter_chains: readonly FilterChain[], mtls: MeshConfig['mtls'], settings: MeshSettings): Listener {
  return {
    ...bound(inboundListener, inboundPort, settings),
    traffic_direction: 'INBOUND',
    filter_chains: [toItself(inboundPort), ...filter_chains],
    default_filter_chain: { name: inboundCluster, filters: mtls === 'Strict' ? refuse : [tcpProxy(inboundCluster)] },
  };
}

function plainChain(port: InboundPort, config: MeshConfig): FilterChain {
  const filters = port.strict ? refuse : inboundFilters(port, 'plaintext', config);
  return chain(plainName(port), { destination_port: port.number }, filters);
}

/** Reads the server name. Only TLS comes here, where the client always speaks first, so that nobody waits for it. */
const tlsInspector = {
  name: 'envoy.filters.listener.tls_inspector',
  typed_config: typed('envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector', {}),
};

/**
 * Where mutual TLS of the mesh arrives; the server name tells which port of the app is meant. Nothing is redirected here, yet the
 * original destination is asked for: only then does Envoy take the address that was called as one to call on.
 */
export function mutualTls({ mesh, audience, settings }: Request): Part {
  const uses = inboundUses(mesh, audience);
  const config = mesh.config();
  return mutual([settings, config, ...keysOf(uses)], () => {
    const ports = inboundPorts(uses, config.mtls);
    const { listener_filters = [], ...address } = bound(mutualTlsListener, mutualTlsPort, settings);
    const listener: Listener = {
      ...address,
      listener_filters: [...listener_filters, tlsInspector],
      traffic_direction: 'INBOUND',
      filter_chains: [nobody(config), ...ports.map((port) => tlsChain(port, config))],
    };
    return listenerPart(listener, [...secrets, ...references(ports, config)], provenance(ports, tlsName));
  });
}

/** A listener needs a chain, and this one the Secrets from the start: a Cluster that would have to wait for them would hold up all others. */
function nobody({ trustDomain }: MeshConfig): FilterChain {
  return { ...chain('nobody', { server_names: ['_.weft'] }, refuse), transport_socket: fromMesh(trustDomain) };
}

function tlsChain(port: InboundPort, config: MeshConfig): FilterChain {
  const match = { server_names: port.serverNames };
  return { ...chain(tlsName(port), match, inboundFilters(port, 'mtls', config)), transport_socket: fromMesh(config.trustDomain) };
}

const secrets: readonly ResourceName[] = [leafName, rootsName].map((name) => ({ type: 'Secret', name }));

function references(ports: readonly InboundPort[], config: MeshConfig): readonly ResourceName[] {
  return [...ports.map(({ number }) => toCluster(inboundPortCluster(number))), ...collectorReferences(config.telemetry)];
}

function plainName({ number }: InboundPort): string {
  return `plaintext-${number}`;
}

function tlsName({ number }: InboundPort): string {
  return `mtls-${number}`;
}

/** Every policy that speaks of a port has a part in its chain, so that its status tells whether the pods' proxies run it. Whether another one displaces it is told there too. */
function provenance(ports: readonly InboundPort[], nameOf: (port: InboundPort) => string): readonly Provenance[] {
  return ports.flatMap((port) =>
    [...port.stanzas].flatMap(([name, stanzas]) =>
      stanzas.map(({ policy }) => ({ object: policy, field: `spec.${name}`, part: `filter_chains[${nameOf(port)}]` })),
    ),
  );
}
