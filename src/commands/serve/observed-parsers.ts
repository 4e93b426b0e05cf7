/** Parsers that note, as objects go by, what a status has to say of them and the model does not hold. */
import type { Parser, Parsers } from '../../sources/change.js';
import type { BrokenPolicies } from '../../status/broken.js';
import type { MeshObjects } from '../../status/mesh-status.js';

/** The same parsers; policies and Mesh objects are noted. */
export function observedParsers(parsers: Parsers, broken: BrokenPolicies, meshes: MeshObjects): Parsers {
  const kinds = Object.entries(parsers).map(([kind, parser]): [string, Parser] => {
    if (kind === 'weft.dev/v1alpha1/TrafficPolicy') return [kind, observed(parser, (raw, { object }) => broken.note(raw, object === undefined))];
    if (kind === 'weft.dev/v1alpha1/Mesh') return [kind, observed(parser, (raw, { diagnostics }) => meshes.note(raw, diagnostics))];
    return [kind, parser];
  });
  return Object.fromEntries(kinds);
}

function observed(parser: Parser, note: (raw: unknown, parsed: ReturnType<Parser['parse']>) => void): Parser {
  return {
    ...parser,
    parse: (raw) => {
      const parsed = parser.parse(raw);
      note(raw, parsed);
      return parsed;
    },
  };
}
