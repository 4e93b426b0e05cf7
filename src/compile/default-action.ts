import { type RetryPolicy, type Route, type RouteAction, typed } from '../envoy/types.js';
import type { RouteParts } from '../features/feature.js';
import type { Audience } from './contract.js';
import { merge } from './merge.js';

/**
 * Tried again, without a policy that says otherwise, are requests that no server has seen: the connection failed, or was reset
 * before the request was sent, or an HTTP/2 server refused the stream. Nothing runs twice, so it is safe for any method.
 */
const defaultRetry: RetryPolicy = {
  retry_on: 'connect-failure,refused-stream,reset-before-request',
  num_retries: 2,
  retry_host_predicate: [
    { name: 'envoy.retry_host_predicates.previous_hosts', typed_config: typed('envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate', {}) },
  ],
  host_selection_retry_max_attempts: 5,
};

/**
 * How a route's requests are treated, whatever cluster they go to. Without a policy there is no limit on time: Envoy's 15 s
 * would cut answers short that took longer before there was a mesh. Proxyless gRPC has its own defaults.
 */
export function treatment(fragments: readonly RouteParts[], client: Audience['client'], hasRetry: boolean): RouteAction {
  const base: RouteAction = client === 'grpc' ? {} : { timeout: '0s' };
  const retryBase: RetryPolicy = client === 'grpc' || hasRetry ? {} : defaultRetry;
  const action = merge(
    base,
    fragments.map((parts) => parts.action ?? {}),
  ).message;
  const retry = merge(
    retryBase,
    fragments.map((parts) => parts.retryPolicy ?? {}),
  ).message;
  return Object.keys(retry).length > 0 ? { ...action, retry_policy: retry } : action;
}

/** What stanzas say of the route beside its action. */
export function ownFields(fragments: readonly RouteParts[]): Route {
  return merge<Route>(
    {},
    fragments.map((parts) => parts.route ?? {}),
  ).message;
}
