/**
 * Which stanzas hold for the calls of one namespace to one port of a Service. Merging is per whole stanza, the more specific
 * level wins: Namespace, Service, port; and on each of these the caller's own policy over the Service's side's. Within a
 * level the oldest policy wins, then `namespace/name`; the loser keeps its other stanzas and is told.
 */
import { features } from '../features/gen/index.js';
import type { Diagnostic } from '../model/diagnostic.js';
import type { Mesh } from '../model/mesh.js';
import { formatRef, type ObjectRef } from '../model/name.js';
import type { TrafficPolicy } from '../model/policy.js';
import type { Service, ServicePort } from '../model/service.js';
import { createMemo } from './memo.js';

/** A stanza that holds, and whose it is. */
export interface EffectiveStanza {
  readonly value: object;
  readonly policy: ObjectRef;
}

/** The stanzas that hold, by name. The same stanzas are the same object, whoever asks and whatever else has changed. */
export type Effective = ReadonlyMap<string, EffectiveStanza>;

/** A stanza that does not hold, since another policy's does. */
export interface Overridden {
  readonly policy: ObjectRef;
  readonly stanza: string;
  readonly by: ObjectRef;
  /** Whether both are of the same level, so that only age decided. */
  readonly conflict: boolean;
}

/** What policies say about the calls of one namespace to one port. */
export interface Resolution {
  readonly effective: Effective;
  readonly overridden: readonly Overridden[];
  readonly diagnostics: readonly Diagnostic[];
}

interface Claim extends EffectiveStanza {
  readonly name: string;
  readonly level: number;
}

const clientSide = new Set<string>(features.filter(({ side }) => side === 'Client').map(({ name }) => name));
/** Of these no stanza displaces another: all of them count, and ./server-stanzas.ts has them. */
const addingUp = new Set<string>(features.filter(({ addsUp }) => addsUp).map(({ name }) => name));
const resolutions = createMemo<Resolution>();
const interned = createMemo<Effective>();

/** The stanzas for the calls of a namespace to a port, and which others they displace. */
export function effectiveFor(mesh: Mesh, service: Service, port: ServicePort, callerNamespace: string): Resolution {
  const policies = mesh.policies(service.key);
  return resolutions([policies, service, port, callerNamespace], () => resolvePolicies(policies, service, port, callerNamespace));
}

function resolvePolicies(policies: readonly TrafficPolicy[], service: Service, port: ServicePort, callerNamespace: string): Resolution {
  const winners = new Map<string, Claim>();
  const overridden: Overridden[] = [];
  for (const claim of policies.flatMap((policy) => claimsOf(policy, service, port, callerNamespace))) {
    const other = winners.get(claim.name);
    const [winner, loser] = other && other.level >= claim.level ? [other, claim] : [claim, other];
    winners.set(claim.name, winner);
    if (loser) overridden.push({ policy: loser.policy, stanza: claim.name, by: winner.policy, conflict: winner.level === loser.level });
  }
  return { effective: intern(winners), overridden, diagnostics: overridden.filter(({ conflict }) => conflict).map(conflicted) };
}

/** The stanzas of a policy that speak about these calls. A policy in Shadow mode has none. */
function claimsOf(policy: TrafficPolicy, service: Service, port: ServicePort, callerNamespace: string): readonly Claim[] {
  const level = policy.mode === 'Enforce' ? levelOf(policy, service, port, callerNamespace) : undefined;
  if (level === undefined) return [];
  const consumer = policy.namespace !== service.namespace;
  const ref: ObjectRef = { kind: 'TrafficPolicy', namespace: policy.namespace, name: policy.name };
  return Object.entries(policy.stanzas).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null && !addingUp.has(name) && (!consumer || clientSide.has(name)) ? [{ name, value, policy: ref, level }] : [],
  );
}

/** How specific a policy is for these calls; undefined when it says nothing of them. */
export function levelOf(policy: TrafficPolicy, service: Service, port: ServicePort, callerNamespace: string): number | undefined {
  const consumer = policy.namespace !== service.namespace;
  if (consumer && policy.namespace !== callerNamespace) return undefined;
  const levels = policy.targetRefs.flatMap((target) => {
    if (target.namespace !== service.namespace) return [];
    if (target.kind === 'Namespace') return [0];
    if (target.name !== service.name) return [];
    return target.sectionName === undefined ? [2] : target.sectionName === port.name ? [4] : [];
  });
  return levels.length === 0 ? undefined : Math.max(...levels) + (consumer ? 1 : 0);
}

/** One object for the same winners. Two policies may share a stanza: an alias in YAML stands for the same object. */
function intern(winners: ReadonlyMap<string, Claim>): Effective {
  const sorted = [...winners].sort(([a], [b]) => (a < b ? -1 : 1));
  return interned(
    sorted.flatMap(([, { value, policy }]) => [value, formatRef(policy)]),
    () => new Map(sorted.map(([name, { value, policy }]) => [name, { value, policy }])),
  );
}

function conflicted({ policy, stanza, by }: Overridden): Diagnostic {
  return {
    severity: 'warning',
    object: policy,
    field: `spec.${stanza}`,
    reason: 'Conflicted',
    message: `${formatRef(by)} has a stanza ${stanza} for the same calls and is older (or comes first by name), so this one takes no effect there`,
    remedy: `remove ${stanza} from one of the two`,
  };
}
