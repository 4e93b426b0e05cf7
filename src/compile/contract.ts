/** What the compiler is asked and what it answers. The snapshot calls it through a function and knows nothing of meshes. */
import type { ResourceName, ResourceType } from '../envoy/resource.js';
import type { Any } from '../envoy/types.js';
import type { Diagnostic } from '../model/diagnostic.js';
import type { Labels } from '../model/labels.js';
import type { Mesh, Topic } from '../model/mesh.js';
import type { ObjectRef } from '../model/name.js';

/** For whom a resource is compiled: only what may change its content, so that all who are alike share one result. */
export interface Audience {
  /** The caller's namespace: its consumer policies apply, and short names are resolved in it. */
  readonly namespace: string;
  /** The caller's topology zone; empty when unknown. */
  readonly zone: string;
  /** `captured`: an Envoy whose pod redirects its traffic; `explicit`: an Envoy called as an HTTP proxy; `grpc`: proxyless gRPC. */
  readonly client: 'captured' | 'explicit' | 'grpc';
  /** Where an `explicit` client's Envoy listens on loopback for its app; of no meaning to others. */
  readonly explicitPort: number;
  /** The ServiceAccount of its pod, in {@link namespace}. With the next two it says what the pod itself serves; calls to others do not depend on them. */
  readonly serviceAccount: string;
  /** Its labels, as far as Services tell pods apart by them: those that the replicas of a workload share, and which replica of a StatefulSet it is. */
  readonly labels: Labels;
  /** The container ports that have a name. */
  readonly ports: ReadonlyMap<string, number>;
}

/** Which object and field made a part of a resource. */
export interface Provenance {
  readonly object: ObjectRef;
  /** The field of the object: `spec.retry`, `spec.rules[beta-testers]`; empty for the object as a whole. */
  readonly field: string;
  /** The part of the resource: a field of its message, such as `routes[0].route.retry_policy`; empty for the whole. */
  readonly part: string;
}

/** The answer for one name. */
export interface Compiled {
  /** The message, or undefined when nothing of that name exists for this audience. */
  readonly message: Any | undefined;
  /** The resources that this one needs in order to work: the Clusters of a VirtualHost, the endpoints of a Cluster. */
  readonly references: readonly ResourceName[];
  /** Every topic that the answer depends on, the absent ones too. */
  readonly topics: ReadonlySet<Topic>;
  readonly provenance: readonly Provenance[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Compiles one resource. Pure: no clock, randomness, I/O, logger or environment, and it throws on no input. Asked twice for
 * an unchanged world it answers with the same `message` object, and audiences that do not differ for this resource share it.
 */
export type Compile = (mesh: Mesh, audience: Audience, type: ResourceType, name: string) => Compiled;

/** The names that every client of an audience is given without asking: its listeners, base clusters and base virtual host. */
export type Constants = (audience: Audience) => readonly ResourceName[];
