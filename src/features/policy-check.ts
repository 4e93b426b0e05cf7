/** What crosses the stanzas of a policy, and what each stanza's own `check` sees. */
import type { TrafficPolicy } from '../model/policy.js';
import type { Feature, StanzaProblem } from './feature.js';
import { stanzaError } from './feature.js';
import type { RawTargetRef } from './target-schema.js';

/** The problems of a policy whose object the schema has accepted; fields are relative to `spec`. */
export function checkPolicy(policy: TrafficPolicy, targetRefs: readonly RawTargetRef[], features: readonly Feature[]): readonly StanzaProblem[] {
  return [
    ...targetRefs.flatMap((ref, index) => checkTarget(ref, `targetRefs[${index}]`)),
    ...checkRepeatedTargets(policy),
    ...features.flatMap((feature) => (Object.hasOwn(policy.stanzas, feature.name) ? checkStanza(policy, feature) : [])),
  ];
}

function checkTarget({ kind, namespace, sectionName }: RawTargetRef, field: string): readonly StanzaProblem[] {
  if (kind === 'Service') return [];
  return [
    ...(sectionName === undefined ? [] : [stanzaError(`${field}.sectionName`, sectionName, 'goes with kind Service only', 'remove it, or name a Service')]),
    ...(namespace === undefined ? [] : [stanzaError(`${field}.namespace`, namespace, 'goes with kind Service only', 'remove it; the name is the namespace')]),
  ];
}

function checkRepeatedTargets({ targetRefs }: TrafficPolicy): readonly StanzaProblem[] {
  const keys = targetRefs.map(({ kind, namespace, name, sectionName = '' }) => `${kind}/${namespace}/${name}/${sectionName}`);
  return keys.flatMap((key, index) => {
    const first = keys.indexOf(key);
    return first === index ? [] : [stanzaError(`targetRefs[${index}]`, undefined, `repeats item ${first}`, 'remove one of the two')];
  });
}

function checkStanza(policy: TrafficPolicy, feature: Feature): readonly StanzaProblem[] {
  const problems = feature.check?.(policy.stanzas[feature.name]) ?? [];
  const inSpec = problems.map((problem) => ({ ...problem, field: joinField(feature.name, problem.field) }));
  return feature.side === 'Server' ? [...checkConsumer(policy, feature), ...inSpec] : inSpec;
}

/** A policy about a Service of another namespace may speak for the callers of its own, not for the Service. */
function checkConsumer(policy: TrafficPolicy, { name }: Feature): readonly StanzaProblem[] {
  const foreign = policy.targetRefs.find(({ namespace }) => namespace !== policy.namespace);
  if (!foreign) return [];
  const message = `binds the pods of ${foreign.kind} ${foreign.name}, which is not for a policy in namespace ${policy.namespace} to say`;
  return [stanzaError(name, undefined, message, `move it to a policy in namespace ${foreign.namespace}`)];
}

function joinField(stanza: string, field: string): string {
  return field === '' || field.startsWith('[') ? `${stanza}${field}` : `${stanza}.${field}`;
}
