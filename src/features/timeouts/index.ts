/** `timeouts`: how long calls may take. */
import { envoyDuration, millis, optionalDuration } from '../duration.js';
import { type BackendContext, type Feature, type RouteParts, type StanzaProblem, stanzaError } from '../feature.js';
import { type Timeouts, timeouts } from './schema.js';

/** The `timeouts` stanza. */
export const feature: Feature<'timeouts', typeof timeouts> = { name: 'timeouts', side: 'Client', schema: timeouts, route, check };

/**
 * `request` is the route's timeout; proxyless gRPC reads `max_stream_duration` instead (gRFC A31). `backendRequest` sits in
 * the retry policy, where Envoy obeys it even if the policy retries nothing; gRPC has no such limit.
 */
function route({ request, backendRequest }: Timeouts, { client }: BackendContext): RouteParts {
  const limit = optionalDuration(request);
  if (client === 'grpc') return limit ? { action: { max_stream_duration: { max_stream_duration: limit } } } : {};
  return {
    ...(limit ? { action: { timeout: limit } } : {}),
    ...(backendRequest !== undefined && millis(backendRequest) > 0 ? { retryPolicy: { per_try_timeout: envoyDuration(backendRequest) } } : {}),
  };
}

function check({ request, backendRequest }: Timeouts): readonly StanzaProblem[] {
  if (request === undefined || backendRequest === undefined || millis(request) === 0 || millis(backendRequest) <= millis(request)) return [];
  return [stanzaError('backendRequest', backendRequest, `must not be longer than request, which is ${request}`, 'shorten backendRequest, or lengthen request')];
}
