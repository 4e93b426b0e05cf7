import type { ObjectRef } from '../../model/name.js';
import type { ServerStanza } from '../feature.js';
import type { Authorization, Rule } from './schema.js';

/** A rule, and whose it is. */
export interface ScopedRule {
  readonly rule: Rule;
  readonly policy: ObjectRef;
  /** Where it stands: `rules[0]`. */
  readonly field: string;
  /** Whether it only tells what it would do, by its own mode or that of its policy. */
  readonly isShadow: boolean;
}

/** What some policies come to: all that is needed for a decision. */
export interface Decision {
  readonly deny: readonly ScopedRule[];
  readonly allow: readonly ScopedRule[];
  readonly defaultAction: 'Allow' | 'Deny';
}

type Stanza = ServerStanza<Authorization>;

/** All rules of the policies. */
export function rulesOf(stanzas: readonly Stanza[]): readonly ScopedRule[] {
  return stanzas.flatMap(({ value, policy, mode }) =>
    (value.rules ?? []).map((rule, index) => ({ rule, policy, field: `rules[${index}]`, isShadow: mode === 'Shadow' || rule.mode === 'Shadow' })),
  );
}

/** What is in force. */
export function enforced(stanzas: readonly Stanza[]): Decision {
  const live = stanzas.filter(({ mode }) => mode !== 'Shadow');
  const isLive = ({ isShadow }: { readonly isShadow: boolean }) => !isShadow;
  return decide(
    rulesOf(live).filter(isLive),
    live.some((stanza) => defaultOf(stanza, rulesOf([stanza]).filter(isLive)) === 'Deny'),
  );
}

/** What would be in force if nothing were in Shadow mode; undefined where nothing is. */
export function shadowed(stanzas: readonly Stanza[]): Decision | undefined {
  const rules = rulesOf(stanzas);
  if (!rules.some(({ isShadow }) => isShadow) && !stanzas.some(({ mode }) => mode === 'Shadow')) return undefined;
  return decide(
    rules,
    stanzas.some((stanza) => defaultOf(stanza, rulesOf([stanza])) === 'Deny'),
  );
}

function decide(rules: readonly ScopedRule[], isDenied: boolean): Decision {
  return {
    deny: rules.filter(({ rule }) => rule.action === 'Deny'),
    allow: rules.filter(({ rule }) => rule.action !== 'Deny'),
    defaultAction: isDenied ? 'Deny' : 'Allow',
  };
}

/** A policy that names who may call means nobody else; one that only names who may not means everybody else. */
function defaultOf({ value }: Stanza, rules: readonly ScopedRule[]): 'Allow' | 'Deny' {
  return value.defaultAction ?? (rules.some(({ rule }) => rule.action !== 'Deny') ? 'Deny' : 'Allow');
}
