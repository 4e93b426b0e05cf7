/** The one loop: changes of the world go to the store, what they touch is compiled again, and those who hold it are told. */
import type { Compiler } from './compile/compiler.js';
import type { Audience } from './compile/contract.js';
import type { ResourceName } from './envoy/resource.js';
import type { Node } from './envoy/types.js';
import { type NodeClaims, readNode, workloadKey } from './identity/node.js';
import type { Mesh } from './model/mesh.js';
import type { TrafficPolicy } from './model/policy.js';
import type { Pod } from './model/workload.js';
import type { Candidate } from './snapshot/entry.js';
import { type ClassOf, createScopes, type Scopes } from './snapshot/scopes.js';
import { createSnapshot, type Snapshot } from './snapshot/snapshot.js';
import type { Change } from './sources/change.js';
import type { Store } from './sources/store.js';

/** The assembled core, between the sources and the server. */
export interface Controller {
  /** Takes changes of the world. */
  readonly apply: (changes: readonly Change[]) => void;
  readonly mesh: Mesh;
  readonly snapshot: Snapshot<Audience>;
  readonly scopes: Scopes<Audience>;
  /** Who a node is; a string says why it is nobody. */
  readonly classify: (node: Node) => ClassOf<Audience> | string;
  /** How often the compiler was asked, for metrics. */
  readonly compilations: () => number;
}

/** What a controller is made of. */
export interface ControllerOptions {
  readonly store: Store;
  readonly compiler: Compiler;
  readonly onDefect: (name: ResourceName, error: unknown) => void;
}

const noPolicies: readonly TrafficPolicy[] = [];

/** A controller over an empty world. */
export function createController({ store, compiler, onDefect }: ControllerOptions): Controller {
  let compilations = 0;
  const withoutPolicies: Mesh = { ...store.mesh, policies: () => noPolicies };
  const compile = (audience: Audience, type: ResourceName['type'], name: string): Candidate => {
    compilations++;
    const compiled = compiler.compile(store.mesh, audience, type, name);
    return { ...compiled, fallback: () => compiler.compile(withoutPolicies, audience, type, name) };
  };
  const snapshot = createSnapshot<Audience>({ compile, constants: compiler.constants, keyOf: audienceKey, onDefect });
  return {
    apply: (changes) => void snapshot.invalidate(store.apply(changes)),
    mesh: store.mesh,
    snapshot,
    scopes: createScopes(snapshot),
    classify: (node) => classify(store.mesh, node),
    compilations: () => compilations,
  };
}

/** What the mesh knows of a Pod counts more than what its proxy says of itself. */
function classify(mesh: Mesh, node: Node): ClassOf<Audience> | string {
  const claims = readNode(node);
  if (typeof claims === 'string') return claims;
  const pod = claims.pod && mesh.pod(claims.pod);
  const audience = audienceOf(claims, (pod && mesh.zone(pod.node)) || claims.zone);
  return { workload: workloadKey(withPod(claims, pod)), audienceKey: audienceKey(audience), audience };
}

function withPod(claims: NodeClaims, pod: Pod | undefined): NodeClaims {
  return pod ? { ...claims, serviceAccount: pod.serviceAccount, labels: pod.labels } : claims;
}

function audienceOf({ namespace, client, explicitPort }: NodeClaims, zone: string): Audience {
  return { namespace, zone, client, explicitPort };
}

function audienceKey({ namespace, zone, client, explicitPort }: Audience): string {
  return JSON.stringify([namespace, zone, client, client === 'explicit' ? explicitPort : 0]);
}
