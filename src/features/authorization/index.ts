/** `authorization`: who may call the pods of a Service. What it means is told in docs/authorization.md. */
import type { Feature, ServerContext, ServerParts, ServerStanza } from '../feature.js';
import { check } from './check.js';
import { type Engines, nobody, toEngines } from './engine.js';
import { httpFilters, httpLog, httpShadowLog, networkFilters, networkLog, networkShadowLog, ruleHeader } from './filters.js';
import { guardedPaths } from './guarded-paths.js';
import { tooManyRules, unknownOnTcp } from './problems.js';
import { type Authorization, authorization } from './schema.js';
import { type Decision, enforced, rulesOf, shadowed } from './scoped-rule.js';
import { isBearable } from './size.js';

/** The `authorization` stanza. */
export const feature: Feature<'authorization', typeof authorization> = {
  name: 'authorization',
  side: 'Server',
  addsUp: true,
  schema: authorization,
  check,
  server,
  standIn: () => ({ value: denyAll, effect: 'every call to them is denied' }),
};

/** Rules that nobody can read might be those that deny. This one wins over all others, of any policy, and logs name it. */
const denyAll: Authorization = { rules: [{ name: 'closed', action: 'Deny' }] };

function server(stanzas: readonly ServerStanza<Authorization>[], context: ServerContext): ServerParts {
  const [decision, shadow] = [enforced(stanzas), shadowed(stanzas)];
  const now = isCarriedOut(decision) ? toEngines(decision, context) : nobody;
  const then: Engines = shadow && isCarriedOut(shadow) ? toEngines(shadow, context) : {};
  const isTooMuch = !isCarriedOut(decision) || (shadow !== undefined && !isCarriedOut(shadow));
  const problems = isTooMuch ? tooManyRules(stanzas, isCarriedOut(decision), context) : [];
  if (context.protocol === 'TCP') {
    const accessLog = shadow ? { ...networkLog, ...networkShadowLog } : networkLog;
    return { network: networkFilters(now, then), accessLog, problems: [...problems, ...unknownOnTcp(rulesOf(stanzas), context)] };
  }
  return {
    ...(stanzas.some(({ mode }) => mode !== 'Shadow') ? { manager: guardedPaths } : {}),
    http: [...(asksForHeader(stanzas) ? [ruleHeader] : []), ...httpFilters(now, then)],
    accessLog: shadow ? { ...httpLog, ...httpShadowLog } : httpLog,
    problems,
  };
}

function isCarriedOut({ deny, allow }: Decision): boolean {
  return isBearable([...deny, ...allow].map(({ rule }) => rule));
}

function asksForHeader(stanzas: readonly ServerStanza<Authorization>[]): boolean {
  return stanzas.some(({ value, mode }) => mode !== 'Shadow' && value.responseHeader === 'Rule');
}
