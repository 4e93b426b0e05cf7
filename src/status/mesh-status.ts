/** Whether the Mesh object is accepted: what its status says. */

import { fieldOf, numberOf, textOf } from '../kubernetes/plain.js';
import type { Diagnostic } from '../model/diagnostic.js';
import type { Condition } from './facts.js';

/** Remembers what became of each Mesh object that was parsed. */
export interface MeshObjects {
  /** To be told of each, with what is wrong with it. */
  readonly note: (raw: unknown, diagnostics: readonly Diagnostic[]) => void;
  /** The conditions of each, by its name. */
  readonly conditions: () => ReadonlyMap<string, readonly Condition[]>;
}

/** The one that counts. */
export const meshName = 'default';
/** There is to be one; who makes others is told so, up to this many. */
const most = 16;

/** None seen yet. */
export function createMeshObjects(): MeshObjects {
  const seen = new Map<string, readonly Condition[]>();
  return {
    note: (raw, diagnostics) => {
      const metadata = fieldOf(raw, 'metadata');
      const name = textOf(metadata, 'name');
      if (seen.size < most || seen.has(name)) seen.set(name, [accepted(name, numberOf(metadata, 'generation'), diagnostics)]);
    },
    conditions: () => seen,
  };
}

function accepted(name: string, observedGeneration: number, diagnostics: readonly Diagnostic[]): Condition {
  const common = { type: 'Accepted', observedGeneration } as const;
  if (name !== meshName) {
    return { ...common, status: 'False', reason: 'NotDefault', message: `only the Mesh named ${meshName} counts; put the settings there and delete this one` };
  }
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return { ...common, status: 'True', reason: 'Accepted', message: 'the settings are in force' };
  const texts = errors.slice(0, 5).map(({ field, message, remedy }) => `${field ? `${field}: ` : ''}${message}; ${remedy}`);
  return { ...common, status: 'False', reason: 'Invalid', message: texts.join('. ').slice(0, 4096) };
}
