/** The ClusterLoadAssignment of a port of a Service: which addresses take its calls. */
import { type Any, type LbEndpoint, type LocalityLbEndpoints, typeUrl } from '../envoy/types.js';
import { localityOf, type ZonePreference } from '../features/loadBalancing/index.js';
import type { Labels } from '../model/labels.js';
import type { Endpoint, Service, ServicePort } from '../model/service.js';
import type { Effective } from './effective.js';
import { lbEndpoint } from './lb-endpoint.js';
import { createMemo } from './memo.js';
import { takesMutualTls } from './mutual-tls.js';
import type { Part } from './part.js';
import { stanzaOf } from './stanza.js';

/** What a load assignment is made of. */
export interface EndpointsInput {
  readonly name: string;
  readonly service: Service;
  readonly port: ServicePort;
  readonly endpoints: readonly Endpoint[];
  readonly labels: Labels;
  readonly effective: Effective;
  /** The caller's zone; empty when unknown. */
  readonly zone: string;
  /** Whether the caller uses mutual TLS where it is taken. */
  readonly isMutual: boolean;
}

type Zones = ReadonlyMap<string, readonly LbEndpoint[]>;

const groups = createMemo<Zones>();
const parts = createMemo<Part>();

/** The load assignment. It is the same object for callers in all zones, unless the Service prefers the caller's zone and has endpoints there. */
export function loadAssignment(input: EndpointsInput): Part {
  const { name, service, port, endpoints, effective, labels, isMutual } = input;
  const zones = groups([endpoints, service, port, name, isMutual], () => groupByZone(takers(endpoints, service, port, labels), service, port, isMutual));
  const stanza = stanzaOf(effective, 'loadBalancing');
  const preference = zones.has(input.zone) && input.zone !== '' && zones.size > 1 ? localityOf(stanza) : undefined;
  return preference
    ? parts([zones, name, input.zone, preference.minHealthyPercent], () => build(input, zones, preference))
    : parts([zones, name], () => build(input, zones, undefined));
}

/**
 * The endpoints that take calls, as Kubernetes has it: those that are ready; when there is none, those that still serve while
 * they terminate. A terminating one leaves at once otherwise, whatever its connections do.
 */
function takers(all: readonly Endpoint[], service: Service, port: ServicePort, labels: Labels): readonly Endpoint[] {
  const candidates = ofOneFamily(
    all.filter((endpoint) => endpoint.ports.has(port.name) && hasLabels(endpoint, labels)),
    service,
  );
  const ready = candidates.filter((endpoint) => !endpoint.terminating && (endpoint.ready || service.publishNotReadyAddresses));
  return ready.length > 0 ? ready : candidates.filter((endpoint) => endpoint.terminating && (endpoint.serving || service.publishNotReadyAddresses));
}

function hasLabels(endpoint: Endpoint, labels: Labels): boolean {
  return Object.entries(labels).every(([key, value]) => Object.hasOwn(endpoint.labels, key) && endpoint.labels[key] === value);
}

/** A pod of a dual-stack Service is there once per family, and would get twice the calls: the Service's first family is used if it has any. */
function ofOneFamily(endpoints: readonly Endpoint[], service: Service): readonly Endpoint[] {
  const isV6 = (address: string) => address.includes(':');
  const wantsV6 = isV6(service.clusterIPs[0] ?? '');
  const preferred = endpoints.filter(({ address }) => isV6(address) === wantsV6);
  return preferred.length > 0 ? preferred : endpoints;
}

/** By zone, in the order of the zones' names; within a zone in the order of the mesh. */
function groupByZone(endpoints: readonly Endpoint[], service: Service, port: ServicePort, isMutual: boolean): Zones {
  const zones = new Map<string, LbEndpoint[]>();
  for (const endpoint of endpoints) {
    const zone = zones.get(endpoint.zone) ?? [];
    zone.push(lbEndpoint(endpoint.address, endpoint.ports.get(port.name) ?? 0, isMutual && takesMutualTls(service, port, endpoint)));
    zones.set(endpoint.zone, zone);
  }
  return new Map([...zones].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function build({ name, service, zone, effective }: EndpointsInput, zones: Zones, preference: ZonePreference | undefined): Part {
  const object = { kind: 'Service', namespace: service.namespace, name: service.name };
  const stanza = effective.get('loadBalancing');
  const endpoints = [...zones].map(([name, members]) => locality(name, members, preference && name !== zone ? 1 : 0));
  const message: Any = {
    '@type': typeUrl('envoy.config.endpoint.v3.ClusterLoadAssignment'),
    cluster_name: name,
    endpoints,
    ...(preference ? { policy: { overprovisioning_factor: overprovisioning(preference) } } : {}),
  };
  return {
    message,
    references: [],
    provenance: [
      { object, field: '', part: '' },
      ...(preference && stanza ? [{ object: stanza.policy, field: 'spec.loadBalancing.locality', part: 'endpoints' }] : []),
    ],
    diagnostics: [],
  };
}

/**
 * gRPC refuses a group without a locality, and gives one without a weight no calls at all; Envoy does not look at weights as
 * long as the localities of a priority are not weighted.
 */
function locality(zone: string, members: readonly LbEndpoint[], priority: number): LocalityLbEndpoints {
  return { locality: zone ? { zone } : {}, lb_endpoints: members, load_balancing_weight: members.length, ...(priority ? { priority } : {}) };
}

/** Envoy takes a priority to be whole while (healthy per cent) * factor / 100 reaches 100; the factor is in per cent. */
function overprovisioning({ minHealthyPercent }: ZonePreference): number {
  return Math.ceil(10_000 / Math.max(1, minHealthyPercent));
}
