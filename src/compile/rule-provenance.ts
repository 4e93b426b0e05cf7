/** Which fields of a rule made which fields of its route. */
import type { Route } from '../envoy/types.js';
import type { Filter, Rule } from '../features/rules/schema.js';
import { type HeaderChanges, toHeaderChanges, toHostRewrite } from '../features/rules/to-headers.js';
import type { ObjectRef } from '../model/name.js';
import type { Provenance } from './contract.js';

/** A rule: whose it is, and the path of its field. */
export interface RuleOrigin {
  readonly object: ObjectRef;
  /** `spec.rules[beta-testers]`. */
  readonly field: string;
}

/** What the filters and backends of a rule made of a route; `part` is relative to the route. */
export function ruleProvenance({ filters = [], backendRefs = [] }: Rule, route: Route, { object, field }: RuleOrigin): readonly Provenance[] {
  const fromFilters = filters.flatMap((filter, index) => filterParts(filter, route).map((part) => ({ object, field: `${field}.filters[${index}]`, part })));
  const parts = backendRefs.length > 0 ? destinationParts(route) : [];
  return [...fromFilters, ...parts.map((part) => ({ object, field: `${field}.backendRefs`, part }))];
}

function filterParts(filter: Filter, route: Route): readonly string[] {
  const changes = keysOf(toHeaderChanges([filter]));
  const own = [...(filter.requestRedirect ? (['redirect'] as const) : []), ...changes];
  const host = toHostRewrite([filter]) === undefined ? [] : (['host_rewrite_literal'] as const);
  const path = filter.urlRewrite?.path ? (['prefix_rewrite', 'regex_rewrite'] as const) : [];
  const refused = filter.requestRedirect ? (['cluster'] as const) : [];
  const mirror = filter.requestMirror ? (['request_mirror_policies'] as const) : [];
  const moved = changes.length + host.length > 0 && present(route, changes).length + present(route.route, host).length === 0;
  const shares = moved ? (['weighted_clusters'] as const) : [];
  return [...present(route, own), ...present(route.route, [...refused, ...host, ...path, ...mirror, ...shares]).map((name) => `route.${name}`)];
}

function destinationParts(route: Route): readonly string[] {
  return [...present(route, ['direct_response']), ...present(route.route, ['cluster', 'weighted_clusters']).map((name) => `route.${name}`)];
}

function present<T extends object>(message: T | undefined, names: readonly (keyof T & string)[]): readonly string[] {
  return names.filter((name) => message?.[name] !== undefined);
}

function keysOf(changes: HeaderChanges): readonly (keyof HeaderChanges)[] {
  const names = ['request_headers_to_add', 'request_headers_to_remove', 'response_headers_to_add', 'response_headers_to_remove'] as const;
  return names.filter((name) => changes[name]);
}
