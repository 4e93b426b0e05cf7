/** `retry`: which failed calls are tried again. */
import { type RetryPolicy, typed } from '../../envoy/types.js';
import { envoyDuration } from '../duration.js';
import type { BackendContext, Feature, RouteParts } from '../feature.js';
import { type Retry, retry } from './schema.js';

/** The `retry` stanza. */
export const feature: Feature<'retry', typeof retry> = { name: 'retry', side: 'Client', schema: retry, route };

const defaultAttempts = 1;

function route(stanza: Retry, { client }: BackendContext): RouteParts {
  return client === 'grpc' ? grpcRoute(stanza) : { retryPolicy: envoyPolicy(stanza) };
}

/**
 * `reset` is what the Gateway API asks for wherever a retry stanza stands: disconnect, reset, timeout and failure to connect.
 * A request refused by a circuit breaker is not among them.
 */
function envoyPolicy({ codes = [], attempts = defaultAttempts, backoff }: Retry): RetryPolicy {
  if (attempts === 0) return { num_retries: 0 };
  return {
    retry_on: codes.length > 0 ? 'reset,retriable-status-codes' : 'reset',
    num_retries: attempts,
    ...(codes.length > 0 ? { retriable_status_codes: codes.toSorted((a, b) => a - b) } : {}),
    ...(backoff === undefined ? {} : { retry_back_off: { base_interval: envoyDuration(backoff) } }),
    ...elsewhere,
  };
}

/** A retry goes to another endpoint where there is one: after so many picks Envoy takes what it gets. */
const elsewhere: RetryPolicy = {
  retry_host_predicate: [
    {
      name: 'envoy.retry_host_predicates.previous_hosts',
      typed_config: typed('envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate', {}),
    },
  ],
  host_selection_retry_max_attempts: 5,
};

/** gRPC retries by gRPC status only (gRFC A44), and sees a failed connection and 502, 503 and 504 alike as UNAVAILABLE. It refuses zero retries. */
function grpcRoute({ attempts = defaultAttempts, backoff }: Retry): RouteParts {
  if (attempts === 0) return {};
  const wait = backoff === undefined ? {} : { retry_back_off: { base_interval: envoyDuration(backoff) } };
  return { retryPolicy: { retry_on: 'unavailable', num_retries: attempts, ...wait } };
}
