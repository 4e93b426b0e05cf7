/** The one loop: changes of the world go to the store, what they touch is compiled again, and those who hold it are told. */
import { audienceFor, audienceKey, isServerSide } from './compile/audience.js';
import type { Compiler } from './compile/compiler.js';
import type { Audience } from './compile/contract.js';
import type { ResourceName } from './envoy/resource.js';
import type { Node } from './envoy/types.js';
import { type NodeClaims, provenClaims, readNode, workloadKey } from './identity/node.js';
import { leafTopic, rootsTopic, type Secrets } from './identity/secrets.js';
import { isRefusal, type PodSubject, type Refusal } from './identity/subject.js';
import { lastingLabels } from './model/labels.js';
import type { Mesh } from './model/mesh.js';
import { keyOf } from './model/name.js';
import type { TrafficPolicy } from './model/policy.js';
import { leafName, rootsName } from './model/secret-names.js';
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
  /** From now on Secrets come from here; before, there are none. To be called once, before anybody is served. */
  readonly serveSecrets: (secrets: Secrets) => void;
  /** Who a node is, by what it says of itself; a string says why it is nobody. */
  readonly classify: (node: Node) => ClassOf<Audience> | string;
  /** Who a node is, by what its token proves and the mesh knows of the pod. */
  readonly classifyPod: (node: Node, subject: PodSubject) => ClassOf<Audience> | Refusal;
  /** How often the compiler was asked, and the seconds that it took, for metrics. */
  readonly compilations: () => number;
  readonly compileSeconds: () => number;
}

/** What a controller is made of. */
export interface ControllerOptions {
  readonly store: Store;
  readonly compiler: Compiler;
  readonly onDefect: (name: ResourceName, error: unknown) => void;
}

const noPolicies: readonly TrafficPolicy[] = [];
const noPorts: Audience['ports'] = new Map();

/** A controller over an empty world. */
export function createController({ store, compiler, onDefect }: ControllerOptions): Controller {
  let compilations = 0;
  let compileMs = 0;
  let secrets: Secrets | undefined;
  const withoutPolicies: Mesh = { ...store.mesh, policies: () => noPolicies };
  const compile = (audience: Audience, type: ResourceName['type'], name: string): Candidate => {
    if (type === 'Secret') return secretOf(secrets, audience, name);
    compilations++;
    const begin = performance.now();
    const compiled = compiler.compile(store.mesh, audience, type, name);
    compileMs += performance.now() - begin;
    // What protects a pod is never left out, whatever its proxy thinks of it.
    if (isServerSide({ type, name })) return compiled;
    return { ...compiled, fallback: () => compiler.compile(withoutPolicies, audience, type, name) };
  };
  const snapshot = createSnapshot<Audience>({
    compile: (audience, type, name) => compile(audienceFor(audience, { type, name }), type, name),
    constants: compiler.constants,
    keyOf: (audience, name) => audienceKey(audienceFor(audience, name)),
    onDefect,
  });
  return {
    apply: (changes) => {
      const topics = store.apply(changes);
      snapshot.invalidate(topics);
      if (topics.has('config')) secrets?.touch();
    },
    mesh: store.mesh,
    snapshot,
    scopes: createScopes(snapshot),
    serveSecrets: (given) => {
      secrets = given;
      given.onChange(snapshot.invalidate);
    },
    classify: (node) => classify(store.mesh, node),
    classifyPod: (node, subject) => classifyPod(store.mesh, node, subject),
    compilations: () => compilations,
    compileSeconds: () => compileMs / 1000,
  };
}

/** Reads nothing but the audience's own identity; the names of others are not even looked up. */
function secretOf(secrets: Secrets | undefined, audience: Audience, name: string): Candidate {
  const topics = new Set(name === leafName ? [leafTopic(audience)] : name === rootsName ? [rootsTopic] : []);
  return { message: secrets?.get(audience, name), references: [], topics, provenance: [] };
}

/** What the mesh knows of a Pod counts more than what its proxy says of itself. */
function classify(mesh: Mesh, node: Node): ClassOf<Audience> | string {
  const claims = readNode(node);
  if (typeof claims === 'string') return claims;
  const pod = claims.pod && mesh.pod(claims.pod);
  return classOf(withPod(claims, pod), pod, (pod && mesh.zone(pod.node)) || claims.zone);
}

function classifyPod(mesh: Mesh, node: Node, subject: PodSubject): ClassOf<Audience> | Refusal {
  const pod = mesh.pod(keyOf(subject.namespace, subject.pod));
  const claims = provenClaims(node, subject, { labels: pod?.labels ?? {}, zone: pod ? mesh.zone(pod.node) : '' });
  return isRefusal(claims) ? claims : classOf(claims, pod, claims.zone);
}

function classOf(claims: NodeClaims, pod: Pod | undefined, zone: string): ClassOf<Audience> {
  const audience = audienceOf(claims, pod, zone);
  return { workload: workloadKey(claims), audienceKey: audienceKey(audience), audience };
}

function withPod(claims: NodeClaims, pod: Pod | undefined): NodeClaims {
  return pod ? { ...claims, serviceAccount: pod.serviceAccount, labels: pod.labels } : claims;
}

function audienceOf({ namespace, client, explicitPort, serviceAccount, labels }: NodeClaims, pod: Pod | undefined, zone: string): Audience {
  return { namespace, zone, client, explicitPort, serviceAccount, labels: lastingLabels(labels), ports: pod?.ports ?? noPorts };
}
