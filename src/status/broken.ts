/** Which policies are broken, noticed as they are parsed: of those the model holds nothing, and their status has to say so. */

import { fieldOf, listOf, numberOf, textOf } from '../kubernetes/plain.js';
import type { TargetRef } from '../model/policy.js';
import type { BrokenPolicy } from './facts.js';

/** Remembers what was seen last of each broken policy. */
export interface BrokenPolicies {
  /** To be told of each policy that is parsed, sound or not. */
  readonly note: (raw: unknown, isBroken: boolean) => void;
  /** The broken ones among these keys (`namespace/name`): those that something is wrong with; others are gone. */
  readonly among: (keys: ReadonlySet<string>) => readonly BrokenPolicy[];
}

/** How many are remembered. One that has been deleted is not told, and stays until this many came after it. */
const most = 4096;

/** None seen yet. */
export function createBrokenPolicies(): BrokenPolicies {
  const broken = new Map<string, BrokenPolicy>();
  return {
    note: (raw, isBroken) => {
      const policy = readPolicy(raw);
      broken.delete(policy.key);
      if (isBroken) broken.set(policy.key, policy);
      for (const oldest of broken.size > most ? broken.keys() : []) {
        broken.delete(oldest);
        break;
      }
    },
    among: (keys) => [...broken.values()].filter(({ key }) => keys.has(key)),
  };
}

function readPolicy(raw: unknown): BrokenPolicy {
  const metadata = fieldOf(raw, 'metadata');
  const [namespace, name] = [textOf(metadata, 'namespace') || 'default', textOf(metadata, 'name')];
  const targetRefs = listOf(fieldOf(raw, 'spec'), 'targetRefs')
    .slice(0, 64)
    .flatMap((ref) => readTarget(ref, namespace));
  return { key: `${namespace}/${name}`, namespace, name, generation: numberOf(metadata, 'generation'), targetRefs };
}

function readTarget(ref: unknown, own: string): readonly TargetRef[] {
  const [kind, name, sectionName] = [textOf(ref, 'kind'), textOf(ref, 'name'), textOf(ref, 'sectionName')];
  if ((kind !== 'Service' && kind !== 'Namespace') || name === '') return [];
  const namespace = kind === 'Namespace' ? name : textOf(ref, 'namespace') || own;
  return [{ kind, namespace, name, ...(sectionName ? { sectionName } : {}) }];
}
