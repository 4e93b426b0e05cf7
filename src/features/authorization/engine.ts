import type { Message } from '../../envoy/types.js';
import type { ServerContext } from '../feature.js';
import { toPermissions } from './permission.js';
import { toPrincipals } from './principal.js';
import type { Decision, ScopedRule } from './scoped-rule.js';

type Rules = Message<'envoy.config.rbac.v3.RBAC'>;

/** Envoy decides in two steps, each with the rules of one kind; a step is left out where it would let everything through. */
export interface Engines {
  readonly deny?: Rules;
  readonly allow?: Rules;
}

/** Lets nobody in. */
export const nobody: Engines = { allow: { action: 'ALLOW', policies: {} } };

/** The steps of a decision on this port. */
export function toEngines({ deny, allow, defaultAction }: Decision, context: ServerContext): Engines {
  const denied = toPolicies(deny, context);
  return {
    ...(Object.keys(denied).length > 0 ? { deny: { action: 'DENY', policies: denied } } : {}),
    ...(defaultAction === 'Deny' ? { allow: { action: 'ALLOW', policies: toPolicies(allow, context) } } : {}),
  };
}

/** The id under which logs and metrics know a rule. */
function ruleId({ policy, rule }: ScopedRule): string {
  return `${policy.namespace}/${policy.name}/${rule.name}`;
}

function toPolicies(rules: readonly ScopedRule[], context: ServerContext): NonNullable<Rules['policies']> {
  return Object.fromEntries(
    rules.flatMap((scoped) => {
      const [permissions, principals] = [toPermissions(scoped.rule, context), toPrincipals(scoped, context)];
      return permissions.length > 0 && principals.length > 0 ? [[ruleId(scoped), { permissions, principals }]] : [];
    }),
  );
}
