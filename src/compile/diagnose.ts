/** What is wrong with policies as they stand among the other objects: what a schema cannot see. */
import type { Diagnostic } from '../model/diagnostic.js';
import type { Mesh } from '../model/mesh.js';
import { type Key, keyOf } from '../model/name.js';
import type { TargetRef, TrafficPolicy } from '../model/policy.js';
import type { Compiler } from './compiler.js';
import { renderAll } from './render.js';

/** What is looked at. */
export interface World {
  readonly mesh: Mesh;
  /** The keys of all Services. */
  readonly services: readonly Key[];
  readonly policies: readonly TrafficPolicy[];
}

/** Targets and backends that do not exist, stanzas that another policy displaces: each problem once, sorted. */
export function diagnose(world: World, compiler: Compiler): readonly Diagnostic[] {
  const all = world.policies.flatMap((policy) => [...missingTargets(world, policy), ...inEffect(world, compiler, policy)]);
  const unique = new Map(all.map((diagnostic) => [JSON.stringify(diagnostic), diagnostic]));
  return [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, diagnostic]) => diagnostic);
}

/** As a caller in the policy's own namespace, whom its rules bind in any case, would be served. */
function inEffect({ mesh, services }: World, compiler: Compiler, policy: TrafficPolicy): readonly Diagnostic[] {
  const targeted = policy.targetRefs.flatMap((target) => servicesOf(target, services));
  return renderAll(mesh, compiler, { namespace: policy.namespace, zone: '', client: 'explicit', explicitPort: 15_001 }, targeted).diagnostics;
}

function servicesOf({ kind, namespace, name }: TargetRef, services: readonly Key[]): readonly Key[] {
  return kind === 'Service' ? [keyOf(namespace, name)] : services.filter((key) => key.startsWith(`${name}/`));
}

function missingTargets({ mesh }: World, policy: TrafficPolicy): readonly Diagnostic[] {
  return policy.targetRefs.flatMap((target, index) => {
    if (target.kind !== 'Service') return [];
    const service = mesh.service(keyOf(target.namespace, target.name));
    const field = `spec.targetRefs[${index}]`;
    if (!service)
      return [
        problem(policy, `${field}.name`, target.name, `there is no Service ${target.namespace}/${target.name}`, 'create the Service, or correct the name'),
      ];
    const { sectionName } = target;
    if (sectionName === undefined || service.ports.some(({ name }) => name === sectionName)) return [];
    const names = service.ports.map(({ name }) => name).filter(Boolean);
    return [
      problem(
        policy,
        `${field}.sectionName`,
        sectionName,
        `Service ${service.key} has no port of this name`,
        `use one of its port names: ${names.join(', ') || 'it has none'}`,
      ),
    ];
  });
}

function problem({ namespace, name }: TrafficPolicy, field: string, value: string, message: string, remedy: string): Diagnostic {
  const object = { kind: 'TrafficPolicy', namespace, name };
  return { severity: 'warning', object, field, value: JSON.stringify(value), reason: 'TargetNotFound', message, remedy };
}
