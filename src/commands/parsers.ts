/** All kinds that Weft reads: Kubernetes' own, and those of the features. */
import { parseMesh } from '../features/mesh.js';
import { parsePolicy } from '../features/policy.js';
import { standInPolicy } from '../features/stand-in.js';
import type { Parsers } from '../sources/change.js';
import { kubernetesParsers, meshParser, trafficPolicyParser } from '../sources/parsers.js';

/** Parsers by `apiVersion/kind`. */
export const parsers: Parsers = {
  ...kubernetesParsers,
  'weft.dev/v1alpha1/TrafficPolicy': trafficPolicyParser(
    (raw) => {
      const { policy, diagnostics } = parsePolicy(raw);
      return { object: policy, diagnostics };
    },
    (raw, isWhole) => {
      const { policy, diagnostics } = standInPolicy(raw, isWhole);
      return { object: policy, diagnostics };
    },
  ),
  'weft.dev/v1alpha1/Mesh': meshParser((raw) => {
    const { config, diagnostics } = parseMesh(raw);
    return { object: config, diagnostics };
  }),
};
