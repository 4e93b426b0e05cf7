/** Short names for the messages of Envoy that Weft's code speaks of most. */
import type { Messages } from './gen/types.js';
import type { Any } from './json.js';

export type { Any, Duration, Json } from './json.js';

/** The full names of the messages that Weft can write: every entry of `proto/roots.txt` and what it refers to. */
export type MessageName = keyof Messages & string;

/** The fields of a message, by its full name. */
export type Message<Name extends MessageName> = Messages[Name];

export type Cluster = Message<'envoy.config.cluster.v3.Cluster'>;
export type LocalityLbEndpoints = Message<'envoy.config.endpoint.v3.LocalityLbEndpoints'>;
export type LbEndpoint = Message<'envoy.config.endpoint.v3.LbEndpoint'>;
export type Listener = Message<'envoy.config.listener.v3.Listener'>;
export type FilterChain = Message<'envoy.config.listener.v3.FilterChain'>;
export type RouteConfiguration = Message<'envoy.config.route.v3.RouteConfiguration'>;
export type Route = Message<'envoy.config.route.v3.Route'>;
export type RouteMatch = Message<'envoy.config.route.v3.RouteMatch'>;
export type RouteAction = Message<'envoy.config.route.v3.RouteAction'>;
export type RetryPolicy = Message<'envoy.config.route.v3.RetryPolicy'>;
export type Thresholds = Message<'envoy.config.cluster.v3.CircuitBreakers.Thresholds'>;
export type HttpProtocolOptions = Message<'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'>;
export type HttpConnectionManager = Message<'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'>;
export type HttpFilter = Message<'envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter'>;
export type NetworkFilter = Message<'envoy.config.listener.v3.Filter'>;
export type AccessLog = Message<'envoy.config.accesslog.v3.AccessLog'>;
export type ConfigSource = Message<'envoy.config.core.v3.ConfigSource'>;
export type Bootstrap = Message<'envoy.config.bootstrap.v3.Bootstrap'>;
export type Node = Message<'envoy.config.core.v3.Node'>;
export type DiscoveryRequest = Message<'envoy.service.discovery.v3.DiscoveryRequest'>;
export type DeltaDiscoveryRequest = Message<'envoy.service.discovery.v3.DeltaDiscoveryRequest'>;
export type ClientStatusRequest = Message<'envoy.service.status.v3.ClientStatusRequest'>;
export type ClientStatusResponse = Message<'envoy.service.status.v3.ClientStatusResponse'>;
export type ClientConfig = Message<'envoy.service.status.v3.ClientConfig'>;

/** What a type URL begins with. */
export const typeUrlPrefix = 'type.googleapis.com/';

/** The type URL of a message: `type.googleapis.com/envoy.config.cluster.v3.Cluster`. */
export function typeUrl<Name extends MessageName>(name: Name): `type.googleapis.com/${Name}` {
  return `${typeUrlPrefix}${name}`;
}

/** A message for a field of type google.protobuf.Any, its fields checked against its type. */
export function typed<Name extends MessageName>(name: Name, fields: Message<Name>): Any {
  return { '@type': typeUrl(name), ...fields };
}
