/**
 * What holds in place of a TrafficPolicy that cannot be read and of which no good version is known, so that nothing that it protects
 * falls open. Stanzas about the behaviour of callers are left out.
 */
import { Value } from 'typebox/value';
import type { Diagnostic } from '../model/diagnostic.js';
import { keyOf, type ObjectRef } from '../model/name.js';
import type { TargetRef, TrafficPolicy } from '../model/policy.js';
import type { Feature, StandIn } from './feature.js';
import { follow, isRecord } from './field-path.js';
import { features } from './gen/index.js';
import { refOf, toTarget } from './policy.js';
import { targetRefs } from './target-schema.js';

/** A policy, and words about why it stands there; no policy where the broken one protects nothing. */
export interface PolicyStandIn {
  readonly policy?: TrafficPolicy;
  readonly diagnostics: readonly Diagnostic[];
}

/** Whom the stand-in is about. */
interface Targets {
  readonly refs: readonly TargetRef[];
  readonly known: 'Known' | 'Unknown';
}

const all: readonly Feature[] = features;

/**
 * The stand-in for an object that {@link parsePolicy} has refused. `isWhole` is false for what could be read of it before an error of
 * YAML: nobody knows then what else it is about. Never throws.
 */
export function standInPolicy(raw: unknown, isWhole: boolean): PolicyStandIn {
  const spec = follow(raw, ['spec']);
  const object = refOf(raw);
  const targets = targetsOf(isWhole ? follow(spec, ['targetRefs']) : undefined, object.namespace);
  // A policy that only tells what it would do would have closed nothing.
  if (!isRecord(spec) || follow(spec, ['mode']) === 'Shadow' || targets.refs.length === 0) return { diagnostics: [] };
  const found = all.flatMap((feature): readonly (readonly [string, StandIn<unknown>])[] => {
    const standIn = Object.hasOwn(spec, feature.name) ? feature.standIn?.(spec[feature.name], targets.known) : undefined;
    return standIn ? [[feature.name, standIn]] : [];
  });
  if (found.length === 0) return { diagnostics: [] };
  const stanzas = Object.fromEntries(found.map(([name, { value }]) => [name, value]));
  return { policy: toPolicy(raw, object, targets, stanzas), diagnostics: found.map(([name, { effect }]) => explain(object, name, effect, targets)) };
}

/**
 * The same for policies of one namespace that are sound, and not in force because there are too many: all Services of the namespace are
 * closed by the first of them that protects any.
 */
export function standInForMany(policies: readonly TrafficPolicy[]): PolicyStandIn {
  const found = all.flatMap((feature): readonly Protector[] => {
    for (const policy of policies) {
      const standIn = policy.mode !== 'Shadow' && Object.hasOwn(policy.stanzas, feature.name) && feature.standIn?.(policy.stanzas[feature.name], 'Unknown');
      if (standIn) return [{ policy, name: feature.name, standIn }];
    }
    return [];
  });
  const [first] = found;
  if (!first) return { diagnostics: [] };
  const { namespace } = first.policy;
  const targetRefs: readonly TargetRef[] = [{ kind: 'Namespace', namespace, name: namespace }];
  const stanzas = Object.fromEntries(found.map(({ name, standIn: { value } }) => [name, value]));
  return {
    policy: { ...first.policy, targetRefs, stanzas },
    diagnostics: found.map(({ policy, name, standIn: { effect } }) => ({
      ...{ severity: 'error', object: { kind: 'TrafficPolicy', namespace, name: policy.name }, field: `spec.${name}`, reason: 'Closed' },
      message: `is of a policy that is not in force, as its namespace has too many; until it has fewer ${effect}: all Services of namespace ${namespace}`,
      remedy: 'delete policies that are not needed, or merge some',
    })),
  };
}

/** A policy with a stanza that has to hold. */
interface Protector {
  readonly policy: TrafficPolicy;
  readonly name: string;
  readonly standIn: StandIn<unknown>;
}

/** Those in the policy's own namespace, for which alone it may speak; all of its Services where they cannot be read. */
function targetsOf(refs: unknown, own: string): Targets {
  if (!Value.Check(targetRefs, refs)) return { refs: [{ kind: 'Namespace', namespace: own, name: own }], known: 'Unknown' };
  return { refs: refs.map((ref) => toTarget(ref, own)).filter(({ namespace }) => namespace === own), known: 'Known' };
}

function toPolicy(raw: unknown, { namespace, name }: ObjectRef, { refs }: Targets, stanzas: TrafficPolicy['stanzas']): TrafficPolicy {
  const [created, generation] = ['creationTimestamp', 'generation'].map((field) => follow(raw, ['metadata', field]));
  return {
    ...{ key: keyOf(namespace, name), namespace, name, targetRefs: refs, mode: 'Enforce', stanzas },
    creationTimestamp: typeof created === 'string' ? created : '',
    generation: typeof generation === 'number' ? generation : 0,
  };
}

function explain(object: ObjectRef, stanza: string, effect: string, { refs, known }: Targets): Diagnostic {
  const names = known === 'Known' ? refs.map(({ kind, name }) => `${kind} ${name}`).join(', ') : `all Services of namespace ${object.namespace}`;
  return {
    ...{ severity: 'error', object, field: `spec.${stanza}`, reason: 'Closed' },
    message: `is of a policy that cannot be read, and no earlier version of it is known; until then ${effect}: ${names}`,
    remedy: 'correct what else is told of the policy, or delete it',
  };
}
