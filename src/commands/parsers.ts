/** All kinds that Weft reads: Kubernetes' own, and the policy of the features. */
import { parsePolicy } from '../features/policy.js';
import type { Parsers } from '../sources/change.js';
import { kubernetesParsers, trafficPolicyParser } from '../sources/parsers.js';

/** Parsers by `apiVersion/kind`. */
export const parsers: Parsers = {
  ...kubernetesParsers,
  'weft.dev/v1alpha1/TrafficPolicy': trafficPolicyParser((raw) => {
    const { policy, diagnostics } = parsePolicy(raw);
    return { object: policy, diagnostics };
  }),
};
