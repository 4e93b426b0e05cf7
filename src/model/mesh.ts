import type { MeshConfig } from './mesh-config.js';
import type { Key } from './name.js';
import type { TrafficPolicy } from './policy.js';
import type { Endpoint, Protocol, Service } from './service.js';
import type { Pod } from './workload.js';

/**
 * The world as the compiler sees it: look-ups, each of which answers with an immutable value that is replaced whole when it
 * changes (so identity is the cache key), and each of which has a topic that is announced when its answer may have changed.
 * Values in lists are in a fixed order that does not depend on the order in which objects arrived.
 */
export interface Mesh {
  /** Topic `service:KEY`. */
  readonly service: (key: Key) => Service | undefined;
  /** The endpoints of a Service, sorted by address. Topic `endpoints:KEY`. */
  readonly endpoints: (key: Key) => readonly Endpoint[];
  /** The ServiceAccounts, in the Service's own namespace, of those of its endpoints that take mutual TLS, each once, sorted. Topic `identities:KEY`. */
  readonly identities: (key: Key) => readonly string[];
  /** The Services filed under one label of their selectors (see `filingsOf`), sorted by key. Topic `selecting:FILING`. */
  readonly selecting: (filing: string) => readonly Service[];
  /** Every policy, in any namespace, that targets this Service or its Namespace; oldest first. Topic `policies:KEY`. */
  readonly policies: (key: Key) => readonly TrafficPolicy[];
  /** Who has this IP address. Topic `address:IP`. */
  readonly at: (address: string) => AddressOwner;
  /** Topic `pod:KEY`. */
  readonly pod: (key: Key) => Pod | undefined;
  /** The topology zone of a Node (`topology.kubernetes.io/zone`), empty when unknown. Topic `node:NAME`. */
  readonly zone: (node: string) => string;
  /** Which ports are declared with which protocol. Topic `ports`. */
  readonly ports: () => PortTable;
  /** The settings of the whole mesh, which are the defaults without a Mesh object. Topic `config`. */
  readonly config: () => MeshConfig;
}

/** Who has an IP address. EndpointSlices are written by whoever may, with whatever addresses, so what they say counts no further than this tells. */
export interface AddressOwner {
  /** The Services with this cluster IP (one, or none). */
  readonly service?: Key | undefined;
  /** The Services that have this address as an endpoint, sorted; headless ones first. Of a Pod's address only those in the namespace of the Pod. */
  readonly endpointOf: readonly Key[];
  /**
   * Whether it is a Pod's own, so that those Services speak for it to everybody. Any other (outside of the mesh, or a Node's, which
   * Pods of the host network have too) is nobody's: there each Service speaks to callers of its own namespace alone.
   */
  readonly isOfPod: boolean;
}

/** The declared protocols of the mesh, from which the outbound listener's filter chains follow. */
export interface PortTable {
  /** The numbers that are called as HTTP, HTTP2 or GRPC: of Services' ports, and of the endpoints of headless Services; ascending. */
  readonly httpPorts: readonly number[];
  /** Where one address's protocol on such a number differs (TCP on a number that is HTTP elsewhere): a cluster IP, or an endpoint of a headless Service; sorted. */
  readonly exceptions: readonly PortException[];
}

/** An address that speaks something else on a number than others do. */
export interface PortException {
  readonly address: string;
  readonly port: number;
  readonly protocol: Protocol;
  /** The namespace for whose callers alone it is so; left out where it is so for all. */
  readonly namespace?: string | undefined;
}

/** What changed, as a name for the look-up of a {@link Mesh} whose answer may differ now: `endpoints:shop/reviews`. */
export type Topic = string;
