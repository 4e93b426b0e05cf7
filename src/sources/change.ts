/** What every source says and the store hears: an object came, changed or went. */
import type { Diagnostic } from '../model/diagnostic.js';
import type { MeshConfig } from '../model/mesh-config.js';
import type { TrafficPolicy } from '../model/policy.js';
import type { Service } from '../model/service.js';
import type { Pod } from '../model/workload.js';
import type { EndpointSlice } from './objects/endpoint-slice.js';
import type { Namespace } from './objects/namespace.js';
import type { Node } from './objects/node.js';

/** The kinds that the store knows, each with what it is parsed into. A new kind is a line here and a case in the store. */
export interface Objects {
  readonly Service: Service;
  readonly EndpointSlice: EndpointSlice;
  readonly Pod: Pod;
  readonly Namespace: Namespace;
  readonly Node: Node;
  readonly TrafficPolicy: TrafficPolicy;
  /** The one named `default` counts; others are ignored. */
  readonly Mesh: MeshConfig;
}

/** A kind of the store. */
export type Kind = keyof Objects;

/** The present version of one object, or its absence. The key is `namespace/name`, or the name of a cluster-scoped object. */
export type Change = { readonly [K in Kind]: { readonly kind: K; readonly key: string; readonly object: Objects[K] | undefined } }[Kind];

/**
 * What an object was parsed into. No object and no error means that the object is sound and the mesh has no use for it (a
 * Service of type ExternalName); no object and an error, that it is broken.
 */
export interface Parsed<T> {
  readonly object?: T | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** How one kind is read from plain values (out of JSON or YAML). */
export interface Parser {
  readonly kind: Kind;
  /** Whether objects of the kind live in a namespace; where one does not say which, it is `default`. */
  readonly namespaced: boolean;
  readonly parse: (raw: unknown) => Parsed<Change>;
  /**
   * What has to hold in place of a broken object while no good version of it is known, with words about it; no object where nothing has
   * to. `isWhole` is false for what could be read of a document before an error in it.
   */
  readonly standIn?: ((raw: unknown, isWhole: boolean) => Parsed<Change>) | undefined;
  /** Whether nothing may be served while the object with this key is broken and no good version of it is known. */
  readonly isVital?: ((key: string) => boolean) | undefined;
}

/** Parsers by `apiVersion/kind`: `v1/Service`, `discovery.k8s.io/v1/EndpointSlice`. */
export type Parsers = Readonly<Record<string, Parser>>;
