/** How requests are divided among the backends of a rule, and what is done to those of each. */
import type { RouteAction } from '../envoy/types.js';
import type { Filter } from '../features/rules/schema.js';
import { toBackendHeaderChanges, toHostRewrite } from '../features/rules/to-headers.js';

/** A backend that exists, and how much of the requests it gets. */
export interface Share {
  readonly cluster: string;
  readonly weight: number;
  /** What is done to its requests alone. */
  readonly filters: readonly Filter[];
}

/** Where the requests of a rule go. */
export interface Division {
  readonly action: RouteAction;
  /** The rule's filters whose header changes are left for the route. */
  readonly headerFilters: readonly Filter[];
}

/**
 * Where a backend has filters of its own, the rule's header changes go to each backend, before its own: on the route, Envoy
 * would make them last, and the rule would overrule the backend.
 */
export function toDestination(shares: readonly Share[], ruleFilters: readonly Filter[]): Division {
  const isPerBackend = shares.some(({ filters }) => filters.length > 0);
  const [first, ...more] = shares;
  if (first && more.length === 0 && !isPerBackend) return { action: { cluster: first.cluster }, headerFilters: ruleFilters };
  const common = isPerBackend ? ruleFilters : [];
  const clusters = shares.map(({ cluster, weight, filters }) => ({
    name: cluster,
    weight,
    ...toBackendHeaderChanges(common, filters),
    ...hostRewrite(common),
    ...hostRewrite(filters),
  }));
  return { action: { weighted_clusters: { clusters } }, headerFilters: isPerBackend ? [] : ruleFilters };
}

/** The Host that these filters set, in a field that routes and shares have alike. */
export function hostRewrite(filters: readonly Filter[]): Pick<RouteAction, 'host_rewrite_literal'> {
  const host = toHostRewrite(filters);
  return host === undefined ? {} : { host_rewrite_literal: host };
}
