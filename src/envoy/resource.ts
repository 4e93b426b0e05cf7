import type { MessageName } from './types.js';

/** The kinds of resource that Weft serves, by the short name that `status` and provenance use. */
export const resourceTypes = {
  Cluster: 'envoy.config.cluster.v3.Cluster',
  ClusterLoadAssignment: 'envoy.config.endpoint.v3.ClusterLoadAssignment',
  Listener: 'envoy.config.listener.v3.Listener',
  RouteConfiguration: 'envoy.config.route.v3.RouteConfiguration',
  VirtualHost: 'envoy.config.route.v3.VirtualHost',
  Secret: 'envoy.extensions.transport_sockets.tls.v3.Secret',
} as const satisfies Readonly<Record<string, MessageName>>;

/** `Cluster`, `ClusterLoadAssignment`, `Listener`, `RouteConfiguration`, `VirtualHost`, `Secret`. */
export type ResourceType = keyof typeof resourceTypes;

/** A resource by kind and name. */
export interface ResourceName {
  readonly type: ResourceType;
  readonly name: string;
}
