/** A world of a few resources that a test sets and removes by name, served through a real snapshot and real scopes. */
import type { ResourceName, ResourceType } from '../../src/envoy/resource.js';
import { type Any, typed } from '../../src/envoy/types.js';
import { urlOf } from '../../src/serve/types.js';
import type { Candidate } from '../../src/snapshot/entry.js';
import { type ClassOf, createScopes, defaultScopeLimits, type ScopeLimits, type Scopes } from '../../src/snapshot/scopes.js';
import { createSnapshot, type Snapshot } from '../../src/snapshot/snapshot.js';

/** What a resource of the world is: `value` makes its content differ, `fallback` is what it would be without policies. */
export interface Spec {
  readonly value: string;
  readonly references: readonly ResourceName[];
  readonly fallback?: Spec | undefined;
  /** The compiled message is none of Envoy's: a defect of the compiler. */
  readonly invalid?: boolean;
}

/** The world of a test. An audience is the name of a zone. */
export interface World {
  readonly set: (type: ResourceType, name: string, value: string, references?: readonly ResourceName[], fallback?: Spec) => void;
  /** A route and all that it needs: VirtualHost, its Clusters and their endpoints, each with this value. */
  readonly setRoute: (name: string, clusters: readonly string[], value: string) => void;
  readonly remove: (type: ResourceType, name: string) => void;
  readonly get: (type: ResourceType, name: string) => Spec | undefined;
  readonly names: (type: ResourceType) => readonly string[];
  readonly snapshot: Snapshot<string>;
  readonly scopes: Scopes<string>;
  readonly defects: readonly unknown[];
}

/** How a world starts. */
export interface WorldOptions {
  readonly constants?: readonly ResourceName[];
  readonly limits?: Partial<ScopeLimits>;
}

/** An empty world. */
export function createWorld({ constants = [], limits = {} }: WorldOptions = {}): World {
  const specs = new Map<string, { readonly type: ResourceType; readonly name: string; readonly spec: Spec }>();
  const defects: unknown[] = [];
  const compile = (_zone: string, type: ResourceType, name: string): Candidate => candidate(type, name, specs.get(topicOf(type, name))?.spec);
  const snapshot = createSnapshot<string>({ compile, constants: () => constants, keyOf: (zone) => zone, onDefect: (_, error) => defects.push(error) });
  const change = (type: ResourceType, name: string, spec: Spec | undefined) => {
    if (spec) specs.set(topicOf(type, name), { type, name, spec });
    else specs.delete(topicOf(type, name));
    snapshot.invalidate([topicOf(type, name)]);
  };
  const world: World = {
    set: (type, name, value, references = [], fallback) => change(type, name, { value, references, fallback }),
    setRoute: (name, clusters, value) => {
      for (const cluster of clusters) {
        world.set('ClusterLoadAssignment', cluster, value);
        world.set('Cluster', cluster, value, [{ type: 'ClusterLoadAssignment', name: cluster }]);
      }
      world.set(
        'VirtualHost',
        name,
        value,
        clusters.map((cluster) => ({ type: 'Cluster', name: cluster })),
      );
    },
    remove: (type, name) => change(type, name, undefined),
    get: (type, name) => specs.get(topicOf(type, name))?.spec,
    names: (type) =>
      [...specs.values()]
        .filter((one) => one.type === type)
        .map(({ name }) => name)
        .sort(),
    snapshot,
    scopes: createScopes(snapshot, { ...defaultScopeLimits, ...limits }),
    defects,
  };
  return world;
}

/** A client's class in a test: workload `shop/web` unless another is named. */
export function classOf(zone = 'a', workload = 'shop/web'): ClassOf<string> {
  return { workload, audienceKey: zone, audience: zone };
}

function topicOf(type: ResourceType, name: string): string {
  return `${type} ${name}`;
}

function candidate(type: ResourceType, name: string, spec: Spec | undefined): Candidate {
  const fallback = spec?.fallback;
  return {
    message: spec && messageOf(type, name, spec),
    references: spec?.references ?? [],
    topics: new Set([topicOf(type, name)]),
    provenance: [],
    fallback: fallback && (() => candidate(type, name, fallback)),
  };
}

function messageOf(type: ResourceType, name: string, { value, references, invalid }: Spec): Any {
  if (invalid) return { '@type': urlOf(type), unheard_of: true };
  if (type === 'Cluster') return typed('envoy.config.cluster.v3.Cluster', { name, alt_stat_name: value });
  if (type === 'ClusterLoadAssignment')
    return typed('envoy.config.endpoint.v3.ClusterLoadAssignment', { cluster_name: name, endpoints: [{ locality: { zone: value } }] });
  if (type === 'Listener') return typed('envoy.config.listener.v3.Listener', { name, stat_prefix: value });
  if (type === 'RouteConfiguration') return typed('envoy.config.route.v3.RouteConfiguration', { name, internal_only_headers: [value] });
  if (type === 'Secret') return typed('envoy.extensions.transport_sockets.tls.v3.Secret', { name: `${name} ${value}` });
  const routes = references.map((cluster) => ({ match: { prefix: '/' }, route: { cluster: cluster.name } }));
  return typed('envoy.config.route.v3.VirtualHost', { name, domains: [value], routes });
}
