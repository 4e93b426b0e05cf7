/** `loadBalancing`: which endpoint gets a call. */
import type { Cluster } from '../../envoy/types.js';
import { envoyDuration } from '../duration.js';
import type { BackendContext, ClusterParts, Feature, RouteParts } from '../feature.js';
import { check } from './check.js';
import { hashPolicy } from './hash-policy.js';
import { type LoadBalancing, loadBalancing } from './schema.js';

/** The `loadBalancing` stanza. */
export const feature: Feature<'loadBalancing', typeof loadBalancing> = { name: 'loadBalancing', side: 'Client', schema: loadBalancing, cluster, route, check };

/** The hash policy stands on the Cluster, so that it goes wherever the Cluster is used: in a rule of another Service, too. */
function cluster(stanza: LoadBalancing, { client, protocol }: BackendContext): ClusterParts {
  if (client === 'grpc') return { cluster: grpcPolicy(stanza) };
  const hash = stanza.consistentHash && protocol !== 'TCP' ? { httpProtocolOptions: { hash_policy: [hashPolicy(stanza.consistentHash)] } } : {};
  return { cluster: envoyPolicy(stanza), ...hash };
}

function envoyPolicy({ type = 'LeastRequest', slowStart }: LoadBalancing): Cluster {
  const slow = slowStart && { slow_start_config: { slow_start_window: envoyDuration(slowStart.window) } };
  switch (type) {
    case 'LeastRequest':
      return { lb_policy: 'LEAST_REQUEST', ...(slow ? { least_request_lb_config: slow } : {}) };
    case 'RoundRobin':
      return { lb_policy: 'ROUND_ROBIN', ...(slow ? { round_robin_lb_config: slow } : {}) };
    case 'Random':
      return { lb_policy: 'RANDOM' };
    case 'ConsistentHash':
      return { lb_policy: 'RING_HASH' };
  }
}

/** Proxyless gRPC refuses a Cluster with any policy but these two by this field (gRFC A27, A42), and hashes headers only. */
function grpcPolicy({ consistentHash }: LoadBalancing): Cluster {
  return { lb_policy: consistentHash?.header ? 'RING_HASH' : 'ROUND_ROBIN' };
}

/** Proxyless gRPC looks for the hash policy on the route only (gRFC A42). */
function route({ consistentHash }: LoadBalancing, { client }: BackendContext): RouteParts {
  return client === 'grpc' && consistentHash?.header ? { action: { hash_policy: [hashPolicy(consistentHash)] } } : {};
}

/** That endpoints in the caller's zone come first. */
export interface ZonePreference {
  readonly type: 'PreferZone';
  /** From 0 to 100: the share of healthy endpoints in the zone below which calls go elsewhere too. */
  readonly minHealthyPercent: number;
}

/** What the compiler needs to order the localities of a ClusterLoadAssignment; undefined when the zone does not matter. */
export function localityOf(stanza: LoadBalancing | undefined): ZonePreference | undefined {
  return stanza?.locality && { type: stanza.locality.type, minHealthyPercent: stanza.locality.minHealthyPercent ?? 70 };
}
