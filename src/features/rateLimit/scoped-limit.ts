import type { Message } from '../../envoy/types.js';
import type { ObjectRef } from '../../model/name.js';
import type { ServerStanza } from '../feature.js';
import type { RateLimit, Rule } from './schema.js';

/** A limit, and whose it is. */
export interface ScopedLimit {
  readonly rule: Rule;
  readonly policy: ObjectRef;
  /** The name under which metrics know it: `namespace/policy/rule`. */
  readonly id: string;
  /** Where it stands: `local.rules[0]`. */
  readonly field: string;
  readonly isShadow: boolean;
}

type Stanza = ServerStanza<RateLimit>;

/** The limits of the first policy that is in force, and of the first in Shadow mode, which only counts. */
export function limitsOf(stanzas: readonly Stanza[]): readonly ScopedLimit[] {
  const [live, shadow] = [stanzas.find(({ mode }) => mode !== 'Shadow'), stanzas.find(({ mode }) => mode === 'Shadow')];
  return [live, shadow].flatMap((stanza) => (stanza ? rulesOf(stanza) : []));
}

function rulesOf({ value, policy, mode }: Stanza): readonly ScopedLimit[] {
  return (value.local?.rules ?? []).map((rule, index) => ({
    rule,
    policy,
    id: `${policy.namespace}/${policy.name}/${rule.name}`,
    field: `local.rules[${index}]`,
    isShadow: mode === 'Shadow' || rule.mode === 'Shadow',
  }));
}

const seconds = { Second: '1s', Minute: '60s', Hour: '3600s' } as const;

/** The bucket of a limit; Envoy fills it evenly. */
export function toBucket({ requests, unit = 'Second', burst = requests }: Rule['limit']): Message<'envoy.type.v3.TokenBucket'> {
  return { max_tokens: burst, tokens_per_fill: requests, fill_interval: seconds[unit] };
}
