/** What is wrong with policies on one port only. */
import type { ServerContext, ServerProblem, ServerStanza } from '../feature.js';
import { needsHttp } from './permission.js';
import type { ScopedRule } from './scoped-rule.js';

/** On a TCP port nothing is known of methods, paths and headers. */
export function unknownOnTcp(rules: readonly ScopedRule[], { service, port }: ServerContext): readonly ServerProblem[] {
  return rules.flatMap(({ rule, policy, field }) =>
    (rule.matches ?? []).flatMap((match, index): readonly ServerProblem[] => {
      if (!needsHttp(match) || (match.port !== undefined && match.port !== port)) return [];
      const effect = rule.action === 'Deny' ? 'denies every connection from its sources' : 'allows nothing';
      return [
        {
          policy,
          severity: 'warning',
          field: `${field}.matches[${index}]`,
          message: `asks for what TCP does not have, and port ${port} of Service ${service} is TCP, so there it ${effect}`,
          remedy: 'match by port and sources only, or declare the port as HTTP with appProtocol',
        },
      ];
    }),
  );
}

/** More than a proxy, and whoever makes its configuration, should bear. Rules that are left out might be those that deny. */
export function tooManyRules(stanzas: readonly ServerStanza<unknown>[], isShadow: boolean, { service, port }: ServerContext): readonly ServerProblem[] {
  const effect = isShadow ? 'nothing is told of those in Shadow mode' : 'every call to it is denied';
  return stanzas.map(({ policy }) => ({
    policy,
    severity: 'warning',
    field: 'rules',
    message: `are, with those of other policies that hold for port ${port} of Service ${service}, more than can be carried out, so ${effect}`,
    remedy: 'write fewer and broader rules, or policies for a Service in place of the Namespace',
  }));
}
