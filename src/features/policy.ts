/** From an object as the API server or a file gives it to a TrafficPolicy of the model, or to words about what is wrong with it. */
import { Value } from 'typebox/value';
import type { Diagnostic } from '../model/diagnostic.js';
import { keyOf, type ObjectRef } from '../model/name.js';
import type { TargetRef, TrafficPolicy } from '../model/policy.js';
import { nameOf, toDiagnostic } from './diagnostic.js';
import type { Feature } from './feature.js';
import { follow } from './field-path.js';
import { features } from './gen/index.js';
import { checkPolicy } from './policy-check.js';
import { policySchema, type RawPolicy } from './policy-schema.js';
import type { RawTargetRef } from './target-schema.js';
import { validate } from './validate.js';

/** A policy unless a diagnostic is an error; as in the API server, one wrong field refuses the whole object. */
export interface ParsedPolicy {
  readonly policy?: TrafficPolicy;
  readonly diagnostics: readonly Diagnostic[];
}

/** Checks a TrafficPolicy and gives it its form in the model. The stanzas stay the objects that they are in `raw`. Never throws. */
export function parsePolicy(raw: unknown): ParsedPolicy {
  const object = refOf(raw);
  const problems = validate(policySchema, raw);
  if (!Value.Check(policySchema, raw) || problems.length > 0) {
    return { diagnostics: problems.map((problem) => toDiagnostic(object, 'error', problem)) };
  }
  const policy = toPolicy(raw);
  const found = checkPolicy(policy, raw.spec.targetRefs, features);
  const diagnostics = found.map((problem) => toDiagnostic(object, problem.severity, { ...problem, reason: 'Invalid', field: `spec.${problem.field}` }));
  return diagnostics.some(({ severity }) => severity === 'error') ? { diagnostics } : { policy, diagnostics };
}

function toPolicy({ metadata: { name, namespace = defaultNamespace, creationTimestamp, generation = 0 }, spec }: RawPolicy): TrafficPolicy {
  return {
    key: keyOf(namespace, name),
    namespace,
    name,
    creationTimestamp: creationTimestamp ?? '',
    generation,
    targetRefs: spec.targetRefs.map((ref) => toTarget(ref, namespace)),
    mode: spec.mode ?? 'Enforce',
    stanzas: stanzasOf(spec, features),
  };
}

/** A target in the model; `own` is the namespace of the policy. */
export function toTarget({ kind, name, namespace, sectionName }: RawTargetRef, own: string): TargetRef {
  return { kind, name, namespace: kind === 'Namespace' ? name : (namespace ?? own), sectionName };
}

function stanzasOf(spec: RawPolicy['spec'], known: readonly Feature[]): Readonly<Record<string, unknown>> {
  const values = new Map<string, unknown>(Object.entries(spec));
  return Object.fromEntries(known.flatMap(({ name }) => (values.has(name) ? [[name, values.get(name)]] : [])));
}

/** Where an object is that does not say it. */
const defaultNamespace = 'default';

/** Who the diagnostics are about, as far as the object tells. */
export function refOf(raw: unknown): ObjectRef {
  const namespace = follow(raw, ['metadata', 'namespace']);
  return { kind: 'TrafficPolicy', namespace: typeof namespace === 'string' ? namespace : defaultNamespace, name: nameOf(raw) };
}
