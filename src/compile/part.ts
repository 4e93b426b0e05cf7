import type { Diagnostic } from '../model/diagnostic.js';
import type { Compiled } from './contract.js';

/** An answer without the topics: what of it may be shared by all who depend on the same values. */
export type Part = Omit<Compiled, 'topics'>;

/** The answer that there is nothing of that name. */
export const nothing: Part = { message: undefined, references: [], provenance: [], diagnostics: [] };

/** The same answer with more to tell. */
export function withDiagnostics(part: Part, more: readonly Diagnostic[]): Part {
  return more.length > 0 ? { ...part, diagnostics: [...part.diagnostics, ...more] } : part;
}
