/** What the status of policies is made of, gathered without holding up anybody else. */
import { setImmediate } from 'node:timers/promises';
import type { Compiler } from '../../compile/compiler.js';
import { diagnoseEach, tidy, type World } from '../../compile/diagnose.js';
import { overriddenStanzas } from '../../compile/overridden.js';
import type { Diagnostic } from '../../model/diagnostic.js';
import type { BrokenPolicies } from '../../status/broken.js';
import type { WorldFacts } from '../../status/loop.js';
import type { MeshObjects } from '../../status/mesh-status.js';

/** Where the facts come from. */
export interface StatusFactsOptions {
  readonly world: () => World;
  readonly compiler: Compiler;
  /** What the source has found wrong with objects by themselves. */
  readonly found: () => readonly Diagnostic[];
  readonly broken: BrokenPolicies;
  readonly meshes: Pick<MeshObjects, 'conditions'>;
}

/** Gathers them policy by policy. */
export async function gatherFacts({ world, compiler, found, broken, meshes }: StatusFactsOptions): Promise<WorldFacts> {
  const now = world();
  const diagnostics = [...found()];
  const refused = diagnostics.filter(({ severity, object }) => severity === 'error' && object.kind === 'TrafficPolicy');
  for (const some of diagnoseEach(now, compiler)) {
    diagnostics.push(...some);
    await setImmediate();
  }
  const overridden = new Map<string, ReturnType<typeof overriddenStanzas>>();
  const idle = new Set(now.outOfBudget);
  for (const policy of now.policies.filter(({ key }) => !idle.has(key))) {
    overridden.set(policy.key, overriddenStanzas(now.mesh, now.services, policy));
    await setImmediate();
  }
  return {
    policies: now.policies,
    broken: broken.among(new Set(refused.map(({ object }) => `${object.namespace}/${object.name}`))),
    diagnostics: tidy(diagnostics),
    overridden,
    meshes: meshes.conditions(),
  };
}
