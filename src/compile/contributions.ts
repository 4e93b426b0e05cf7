/** What the stanzas that hold contribute to clusters and routes, each fragment with its origin. */
import type { BackendContext, ClusterParts, Feature, RouteParts } from '../features/feature.js';
import { features } from '../features/gen/index.js';
import type { ObjectRef } from '../model/name.js';
import type { Provenance } from './contract.js';
import type { Effective } from './effective.js';

/** A fragment, and the stanza that it comes from. */
export interface Contribution<Parts> {
  readonly parts: Parts;
  readonly object: ObjectRef;
  /** `spec.retry`, `spec.rules[0].retry`. */
  readonly field: string;
}

const all: readonly Feature[] = features;

/** What each stanza contributes to a cluster, in the order of the features. */
export function clusterContributions(effective: Effective, context: BackendContext): readonly Contribution<ClusterParts>[] {
  return all.flatMap((feature) => {
    const stanza = effective.get(feature.name);
    return feature.cluster && stanza ? [{ parts: feature.cluster(stanza.value, context), object: stanza.policy, field: `spec.${feature.name}` }] : [];
  });
}

/** A stanza that a rule says for itself, in place of that of the policy. */
export interface RuleStanzas {
  readonly object: ObjectRef;
  /** The rule: `spec.rules[0]`. */
  readonly field: string;
  readonly stanzas: Readonly<Record<string, object | undefined>>;
}

/** What each stanza contributes to a route; a rule's own stanzas come first. */
export function routeContributions(effective: Effective, context: BackendContext, rule?: RuleStanzas): readonly Contribution<RouteParts>[] {
  return all.flatMap((feature) => {
    const own = rule?.stanzas[feature.name];
    const common = effective.get(feature.name);
    if (!feature.route) return [];
    if (rule && own) return [{ parts: feature.route(own, context), object: rule.object, field: `${rule.field}.${feature.name}` }];
    return common ? [{ parts: feature.route(common.value, context), object: common.policy, field: `spec.${feature.name}` }] : [];
  });
}

/** Says of each field of a fragment where it comes from. */
export function provenanceOf(fragment: object | undefined, { object, field }: Contribution<unknown>, prefix: string): readonly Provenance[] {
  return Object.keys(fragment ?? {}).map((key) => ({ object, field, part: `${prefix}${key}` }));
}
