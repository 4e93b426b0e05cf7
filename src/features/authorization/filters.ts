/** The filters that decide, for HTTP and for TCP. */
import { type HttpFilter, type Message, type NetworkFilter, typed } from '../../envoy/types.js';
import type { Engines } from './engine.js';

type Rules = Message<'envoy.config.rbac.v3.RBAC'>;

/** The two steps, each in force or not, and each once more as it would be without Shadow mode. */
interface Step {
  readonly name: 'deny' | 'allow';
  readonly rules?: Rules | undefined;
  readonly shadow?: Rules | undefined;
}

/** Deny rules come first, since they win. */
function stepsOf(enforced: Engines, shadow: Engines): readonly Step[] {
  const steps: readonly Step[] = [
    { name: 'deny', rules: enforced.deny, shadow: shadow.deny },
    { name: 'allow', rules: enforced.allow, shadow: shadow.allow },
  ];
  return steps.filter(({ rules, shadow: other }) => rules ?? other);
}

/** Filters for HTTP. Both steps tell of themselves under the same keys, so that what is there in the end is what has decided. */
export function httpFilters(enforced: Engines, shadow: Engines): readonly HttpFilter[] {
  return stepsOf(enforced, shadow).map(({ name, rules, shadow: shadow_rules }) => ({
    name: `weft.authorization.${name}`,
    typed_config: typed('envoy.extensions.filters.http.rbac.v3.RBAC', {
      ...(rules ? { rules } : {}),
      ...(shadow_rules ? { shadow_rules, shadow_rules_stat_prefix: `${name}_` } : {}),
    }),
  }));
}

/** Filters for TCP, which tell only of what they do in Shadow mode: so what is in force runs in it as well, and what is not stands before it. */
export function networkFilters(enforced: Engines, shadow: Engines): readonly NetworkFilter[] {
  const only = stepsOf({}, shadow).map(({ name, shadow: rules }) =>
    networkFilter(`${name}.shadow`, { shadow_rules: rules, shadow_rules_stat_prefix: `${name}_` }),
  );
  const both = stepsOf(enforced, {}).map(({ name, rules }) => networkFilter(name, { rules, shadow_rules: rules, shadow_rules_stat_prefix: 'enforced_' }));
  return [...only, ...both];
}

function networkFilter(name: string, rules: Message<'envoy.extensions.filters.network.rbac.v3.RBAC'>): NetworkFilter {
  return {
    name: `weft.authorization.${name}`,
    typed_config: typed('envoy.extensions.filters.network.rbac.v3.RBAC', { stat_prefix: `authorization.${name}.`, ...rules }),
  };
}

const decided = '%DYNAMIC_METADATA(envoy.filters.http.rbac:enforced_effective_policy_id)%';

/** Tells the caller which rule decided. It stands before the others, so that it sees their refusals as well. */
export const ruleHeader: HttpFilter = {
  name: 'weft.authorization.header',
  typed_config: typed('envoy.extensions.filters.http.header_mutation.v3.HeaderMutation', {
    mutations: {
      response_mutations: [{ append: { header: { key: 'x-weft-authorization', value: decided }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' } }],
    },
  }),
};

type Fields = Readonly<Record<string, string>>;

/** What access logs and metrics say of the decision. */
export const httpLog: Fields = { authorization: '%DYNAMIC_METADATA(envoy.filters.http.rbac:enforced_engine_result)%', authorization_rule: decided };
/** The same for TCP. */
export const networkLog: Fields = {
  authorization: '%DYNAMIC_METADATA(envoy.filters.network.rbac:enforced_shadow_engine_result)%',
  authorization_rule: '%DYNAMIC_METADATA(envoy.filters.network.rbac:enforced_shadow_effective_policy_id)%',
};

/** What they say of the decision as it would be without Shadow mode. */
export const httpShadowLog = shadowLog('envoy.filters.http.rbac');
/** The same for TCP. */
export const networkShadowLog = shadowLog('envoy.filters.network.rbac');

function shadowLog(namespace: string): Fields {
  return {
    authorization_shadow_deny_rule: `%DYNAMIC_METADATA(${namespace}:deny_shadow_effective_policy_id)%`,
    authorization_shadow: `%DYNAMIC_METADATA(${namespace}:allow_shadow_engine_result)%`,
    authorization_shadow_rule: `%DYNAMIC_METADATA(${namespace}:allow_shadow_effective_policy_id)%`,
  };
}
