/** Puts compiled resources into a bootstrap, so that `envoy --mode validate` reads every one of them. */

import type { RenderedResource } from '../../src/compile/render.js';
import {
  type Any,
  type Bootstrap,
  type Cluster,
  type FilterChain,
  type HttpConnectionManager,
  type Listener,
  type Message,
  type MessageName,
  type RouteConfiguration,
  typed,
  typeUrl,
} from '../../src/envoy/types.js';

type Secret = Message<'envoy.extensions.transport_sockets.tls.v3.Secret'>;

/** The resources of one audience of one case; `label` makes their names unique among all. */
export interface Labelled {
  readonly label: string;
  readonly resources: readonly RenderedResource[];
}

/**
 * Clusters and listeners stand for themselves under other names. A load assignment becomes the content of a static cluster;
 * virtual hosts become the routes of a listener of their own, since a route configuration that is not fetched may hold them
 * and `vhds` may not stand there. An API listener stands for its connection manager in the same way. Secrets are static too. Regular
 * expressions may be as large as in the bootstrap of a sidecar.
 */
export function toBootstrap(all: readonly Labelled[], secrets: readonly Secret[] = []): Bootstrap {
  return withoutCrashes({
    node: { id: 'golden', cluster: 'golden' },
    layered_runtime: { layers: [{ name: 'static', static_layer: { 're2.max_program_size.error_level': 32_768 } }] },
    dynamic_resources: { ads_config: { api_type: 'DELTA_GRPC', transport_api_version: 'V3', grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }] } },
    static_resources: {
      secrets,
      clusters: [xds, ...all.flatMap(({ label, resources }) => resources.flatMap((resource) => toClusters(label, resource)))],
      listeners: all.flatMap(({ label, resources }) => [
        ...resources.flatMap((resource) => toListeners(label, resource)),
        serve(`${label}/hosts`, {
          name: label,
          virtual_hosts: resources.flatMap(({ type, message }) => (type === 'VirtualHost' ? [messageOf('envoy.config.route.v3.VirtualHost', message)] : [])),
        }),
      ]),
    },
  });
}

/** Envoy 1.40 ends `--mode validate` by a segmentation fault where a static cluster asks ADS for a Secret, and where loggers of statistics share a scope. */
const crashing: ReadonlySet<string> = new Set(['sds_config', 'sharing_name']);

function withoutCrashes(bootstrap: Bootstrap): Bootstrap {
  return JSON.parse(JSON.stringify(bootstrap, (key, value) => (crashing.has(key) ? undefined : value)));
}

const xds: Cluster = {
  name: 'xds',
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': typed('envoy.extensions.upstreams.http.v3.HttpProtocolOptions', {
      explicit_http_config: { http2_protocol_options: {} },
    }),
  },
  load_assignment: { cluster_name: 'xds', endpoints: [] },
};

function toClusters(label: string, { type, name, message }: RenderedResource): readonly Cluster[] {
  const unique = `${label}/${type}/${name}`;
  if (type === 'Cluster') return [{ ...messageOf('envoy.config.cluster.v3.Cluster', message), name: unique }];
  return type === 'ClusterLoadAssignment'
    ? [{ name: unique, type: 'STATIC', load_assignment: messageOf('envoy.config.endpoint.v3.ClusterLoadAssignment', message) }]
    : [];
}

function toListeners(label: string, { type, name, message }: RenderedResource): readonly Listener[] {
  const unique = `${label}/${type}/${name}`;
  if (type === 'Listener') return [toListener(unique, messageOf('envoy.config.listener.v3.Listener', message))];
  if (type !== 'RouteConfiguration') return [];
  const { vhds, ...routes } = messageOf('envoy.config.route.v3.RouteConfiguration', message);
  return [serve(unique, routes)];
}

function toListener(name: string, listener: Listener): Listener {
  const api = listener.api_listener?.api_listener;
  if (!api) {
    const { address: _, additional_addresses, ...rest } = listener;
    const more = additional_addresses ? { additional_addresses: additional_addresses.map(() => ({ address: anyPort })) } : {};
    return { ...rest, name, address: anyPort, ...more };
  }
  return onLoopback(name, { ...messageOf('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', api), stat_prefix: 'grpc' });
}

/** A listener with these routes, which may speak of clusters that have other names here. */
function serve(name: string, routes: RouteConfiguration): Listener {
  return onLoopback(name, {
    stat_prefix: 'golden',
    route_config: { ...routes, validate_clusters: false },
    http_filters: [{ name: 'router', typed_config: typed('envoy.extensions.filters.http.router.v3.Router', {}) }],
  });
}

/** Listeners of several cases would have the same address. */
const anyPort = { socket_address: { address: '127.0.0.1', port_value: 0 } };

function onLoopback(name: string, manager: HttpConnectionManager): Listener {
  const filters: FilterChain['filters'] = [
    { name: 'http', typed_config: typed('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', manager) },
  ];
  return { name, address: anyPort, filter_chains: [{ filters }] };
}

/** The message in an Any that says it is of this type; the compiler has checked its fields, and the codec does when it is sent. */
function messageOf<Name extends MessageName>(name: Name, message: Any): Message<Name> {
  if (!isOf(name, message)) throw new Error(`expected ${name}, got ${message['@type']}`);
  const { '@type': _, ...fields } = message;
  return fields;
}

function isOf<Name extends MessageName>(name: Name, message: Any): message is Any & Message<Name> {
  return message['@type'] === typeUrl(name);
}
