/** `circuitBreaker`: how much a calling proxy may have under way to a Service at once. */
import { type Static, Type } from 'typebox';
import type { BackendContext, ClusterParts, Feature } from '../feature.js';
import { object, whole } from '../fields.js';
import { defined } from '../fragment.js';

const some = { min: 1, max: 1_000_000 } as const;
const someOrNone = { min: 0, max: 1_000_000 } as const;

const schema = object('How much each calling proxy may have under way to a Service at once; what exceeds it fails at once with 503.', {
  maxConnections: Type.Optional(whole('Connections. Calls wait for one when all are taken.', { ...some, default: 1024 })),
  maxPendingRequests: Type.Optional(whole('Calls that wait for a connection.', { ...someOrNone, default: 1024 })),
  maxParallelRequests: Type.Optional(whole('Calls under way.', { ...some, default: 1024 })),
  maxParallelRetries: Type.Optional(whole('Retries under way. Not heeded where a `retryConstraint` applies.', { ...someOrNone, default: 3 })),
});

type CircuitBreaker = Static<typeof schema>;

/** The `circuitBreaker` stanza. */
export const feature: Feature<'circuitBreaker', typeof schema> = { name: 'circuitBreaker', side: 'Client', schema, cluster };

/** Proxyless gRPC knows `max_requests` only (gRFC A32). */
function cluster(stanza: CircuitBreaker, { client }: BackendContext): ClusterParts {
  if (client === 'grpc') return { thresholds: defined({ max_requests: stanza.maxParallelRequests }) };
  return {
    thresholds: defined({
      max_connections: stanza.maxConnections,
      max_pending_requests: stanza.maxPendingRequests,
      max_requests: stanza.maxParallelRequests,
      max_retries: stanza.maxParallelRetries,
    }),
  };
}
