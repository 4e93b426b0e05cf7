/** From what is known of policies to what their status should say. Pure; since when it is so is added when it is written. */
import type { Diagnostic } from '../model/diagnostic.js';
import type { TargetRef, TrafficPolicy } from '../model/policy.js';
import { accepted, conflicted, resolvedRefs, type Subject } from './accepted.js';
import type { BrokenPolicy, Condition, OverriddenStanza, StatusFacts } from './facts.js';
import { notProgrammed, programmed } from './programmed.js';
import { noProxies, type PolicyCounts, type ProxyCounts, type Rejection } from './tally.js';

/** What of the `targetRefs` an ancestor is about, as upstream's ParentReference. */
export interface AncestorRef {
  readonly group: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly sectionName?: string;
}

/** How it is with one target. */
export interface DesiredAncestor {
  readonly ancestorRef: AncestorRef;
  readonly conditions: readonly Condition[];
  readonly proxies?: ProxyCounts;
  readonly lastRejection?: Partial<Rejection>;
  readonly overridden?: readonly { readonly stanza: string; readonly by: string; readonly scope?: string }[];
}

/** What the status of a policy should say. */
export interface DesiredStatus {
  readonly observedGeneration: number;
  /** At most 16, sorted. */
  readonly ancestors: readonly DesiredAncestor[];
}

/** How many ancestors a status may have, as in the Gateway API. */
export const maxAncestors = 16;
const maxOverridden = 16;

/** The status of every policy, in force or broken, by `namespace/name`. */
export function desiredStatuses(facts: StatusFacts): ReadonlyMap<string, DesiredStatus> {
  const problems = byPolicy(facts.diagnostics);
  const inForce = new Map(facts.policies.map((policy) => [String(policy.key), policy]));
  const sound = facts.policies.map((policy) => [policy.key, ofSound(policy, facts, problems.get(policy.key) ?? [])] as const);
  const broken = facts.broken.map((policy) => [policy.key, ofBroken(policy, problems.get(policy.key) ?? [], inForce.get(policy.key))] as const);
  return new Map<string, DesiredStatus>([...sound, ...broken]);
}

function byPolicy(diagnostics: readonly Diagnostic[]): ReadonlyMap<string, readonly Diagnostic[]> {
  const found = new Map<string, Diagnostic[]>();
  for (const diagnostic of diagnostics) {
    const { kind, namespace, name } = diagnostic.object;
    if (kind !== 'TrafficPolicy') continue;
    const key = `${namespace}/${name}`;
    found.set(key, [...(found.get(key) ?? []), diagnostic]);
  }
  return found;
}

function ofSound(policy: TrafficPolicy, { counts, overridden }: StatusFacts, diagnostics: readonly Diagnostic[]): DesiredStatus {
  const { generation } = policy;
  const subject: Subject = { generation, stanzas: Object.keys(policy.stanzas), diagnostics, overridden: overridden.get(policy.key) ?? [] };
  const row = counts.get(policy.key);
  const isEnforced = policy.mode === 'Enforce';
  const ancestors = policy.targetRefs.map((target, index): DesiredAncestor => {
    const first = accepted(subject, index);
    const isAccepted = first.status === 'True';
    const last = isAccepted ? programmed(generation, row, isEnforced) : notProgrammed(generation);
    return {
      ancestorRef: refOf(target, policy.namespace),
      conditions: [first, resolvedRefs(subject), last, ...conflicted(subject)],
      ...(isAccepted && isEnforced ? effect(row) : {}),
      ...(subject.overridden.length > 0 ? { overridden: subject.overridden.slice(0, maxOverridden).map(shownStanza) } : {}),
    };
  });
  return { observedGeneration: generation, ancestors: bounded(ancestors) };
}

function ofBroken(policy: BrokenPolicy, diagnostics: readonly Diagnostic[], before: TrafficPolicy | undefined): DesiredStatus {
  const { generation, namespace, name, targetRefs } = policy;
  const subject: Subject = { generation, stanzas: [], diagnostics, overridden: [], inForce: before?.generation };
  const targets = targetRefs.length > 0 ? targetRefs : (before?.targetRefs ?? []);
  // An ancestor needs a name; where no target can be read, the policy itself stands for it, so that the reason is to be seen at all.
  const refs = targets.length > 0 ? targets.map((target) => refOf(target, namespace)) : [{ group: 'weft.dev', kind: 'TrafficPolicy', name }];
  const conditions = [accepted(subject, -1), notProgrammed(generation)];
  return { observedGeneration: generation, ancestors: bounded(refs.map((ancestorRef) => ({ ancestorRef, conditions }))) };
}

function refOf({ kind, namespace, name, sectionName }: TargetRef, own: string): AncestorRef {
  const elsewhere = kind === 'Service' && namespace !== own;
  return { group: '', kind, ...(elsewhere ? { namespace } : {}), name, ...(sectionName === undefined ? {} : { sectionName }) };
}

function effect(row: PolicyCounts | undefined): Pick<DesiredAncestor, 'proxies' | 'lastRejection'> {
  const { matched, acknowledged, rejected, pending } = row ?? noProxies;
  return { proxies: { matched, acknowledged, rejected, pending }, ...(row?.lastRejection ? { lastRejection: shownRejection(row.lastRejection) } : {}) };
}

/** Within the bounds of the schema. */
function shownRejection({ proxy, resource, stanza, message }: Rejection): Partial<Rejection> {
  return {
    proxy: proxy.slice(0, 320) || '(unnamed)',
    resource: resource.slice(0, 1024),
    ...(stanza ? { stanza: stanza.slice(0, 320) } : {}),
    message: message.slice(0, 4096) || '(no words)',
  };
}

function shownStanza({ stanza, by, scope }: OverriddenStanza) {
  return { stanza, by: `${by.namespace}/${by.kind}/${by.name}`, ...(scope ? { scope: scope.slice(0, 640) } : {}) };
}

function bounded(ancestors: readonly DesiredAncestor[]): readonly DesiredAncestor[] {
  const unique = new Map(ancestors.map((ancestor) => [idOf(ancestor.ancestorRef), ancestor]));
  return [...unique]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, ancestor]) => ancestor)
    .slice(0, maxAncestors);
}

/** Tells two ancestors of one policy apart. */
export function idOf({ group, kind, namespace = '', name, sectionName = '' }: AncestorRef): string {
  return JSON.stringify([group, kind, namespace, name, sectionName]);
}
