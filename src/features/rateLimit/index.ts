/** `rateLimit`: how many calls the pods of a Service take. */
import { type NetworkFilter, typed } from '../../envoy/types.js';
import { normalizedPaths } from '../authorization/guarded-paths.js';
import type { Feature, ServerContext, ServerParts, ServerProblem, ServerStanza } from '../feature.js';
import { check } from './check.js';
import { httpFilters } from './http.js';
import { type RateLimit, rateLimit } from './schema.js';
import { limitsOf, type ScopedLimit, toBucket } from './scoped-limit.js';

/** The `rateLimit` stanza. */
export const feature: Feature<'rateLimit', typeof rateLimit> = { name: 'rateLimit', side: 'Server', addsUp: true, schema: rateLimit, check, server };

function server(stanzas: readonly ServerStanza<RateLimit>[], context: ServerContext): ServerParts {
  const limits = limitsOf(stanzas);
  if (context.protocol !== 'TCP') {
    const live = stanzas.find(({ mode }) => mode !== 'Shadow');
    const http = httpFilters(limits, live?.value.local?.responseHeaders === 'XRateLimit', context);
    return { http, ...(limits.some(isByPath) ? { manager: normalizedPaths } : {}) };
  }
  return {
    network: limits.filter(countsConnections).map((limit) => networkFilter(limit, context)),
    problems: limits.flatMap((limit) => onTcp(limit, context)),
  };
}

/** What can be counted without looking into a connection. */
function countsConnections({ rule: { key = 'Route', match }, isShadow }: ScopedLimit): boolean {
  return key === 'Route' && !match && !isShadow;
}

/** Else a limit would not hold for the same path written in another way. */
function isByPath({ rule, isShadow }: ScopedLimit): boolean {
  return rule.match?.path !== undefined && !isShadow;
}

function networkFilter({ rule, id }: ScopedLimit, { service, namespace, port }: ServerContext): NetworkFilter {
  return {
    name: `weft.ratelimit.${id}`,
    typed_config: typed('envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit', {
      stat_prefix: `${service}.${namespace}.${port}`,
      token_bucket: toBucket(rule.limit),
    }),
  };
}

function onTcp(limit: ScopedLimit, { service, port }: ServerContext): readonly ServerProblem[] {
  if (countsConnections(limit)) return [];
  return [
    {
      policy: limit.policy,
      severity: 'warning',
      field: limit.field,
      message: `has no effect on port ${port} of Service ${service}, which is TCP, where connections are counted and nothing is known of their content or caller`,
      remedy: 'write a limit without match and key that is not in Shadow mode, or declare the port as HTTP with appProtocol',
    },
  ];
}
