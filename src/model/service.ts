import type { Key } from './name.js';

/** The protocol that a port speaks, which decides how Envoy treats its connections. */
export type Protocol = 'HTTP' | 'HTTP2' | 'GRPC' | 'TCP';

/** A port of a Service. */
export interface ServicePort {
  /** Empty where the Service has one port without a name. */
  readonly name: string;
  readonly port: number;
  /** A number, or the name of a container port. */
  readonly targetPort: number | string;
  readonly protocol: Protocol;
  /** Why this protocol: `appProtocol kubernetes.io/h2c`, `port name http-web`, `port number 80`, `nothing said`. */
  readonly protocolReason: string;
}

/** A Service, cut down to what the mesh needs. */
export interface Service {
  readonly key: Key;
  readonly namespace: string;
  readonly name: string;
  /** All cluster IPs; empty for a headless Service. */
  readonly clusterIPs: readonly string[];
  readonly ports: readonly ServicePort[];
  readonly publishNotReadyAddresses: boolean;
  /** The labels of its Pods; empty for one whose endpoints somebody else writes. */
  readonly selector: Readonly<Record<string, string>>;
  /** RFC 3339; empty when unknown, which counts as youngest. */
  readonly creationTimestamp: string;
}

/** An address that takes calls for a Service, joined from an EndpointSlice and the Pod behind it. */
export interface Endpoint {
  readonly address: string;
  /** By the name of the Service's port ('' for one without a name): the number at this endpoint. */
  readonly ports: ReadonlyMap<string, number>;
  /** Takes new calls: ready, or serving while it terminates and no ready one is left (that choice is the compiler's). */
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** Topology zone; empty when unknown. */
  readonly zone: string;
  /** The key of the Pod behind it; left out for an address without a Pod. */
  readonly pod?: Key | undefined;
  /** The labels of that Pod, for `podSelector`; empty without one. */
  readonly labels: Readonly<Record<string, string>>;
  /** Whether that Pod has Weft's sidecar; `None` without a Pod. */
  readonly proxy: 'Injected' | 'None';
  /** The ServiceAccount of that Pod; empty without one. */
  readonly serviceAccount: string;
}
