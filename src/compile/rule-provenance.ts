/** Which fields of a rule made which fields of its route. */
import type { Route, RouteAction } from '../envoy/types.js';
import type { Filter, Rule } from '../features/rules/schema.js';
import { toHeaderChanges, toHostRewrite } from '../features/rules/to-headers.js';
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

function filterParts(filter: Filter, { route, redirect }: Route): readonly string[] {
  const host = toHostRewrite([filter]) === undefined ? [] : ['host_rewrite_literal'];
  const path = filter.urlRewrite?.path ? present(route, ['prefix_rewrite', 'regex_rewrite']) : [];
  const mirror = filter.requestMirror ? present(route, ['request_mirror_policies']) : [];
  return [
    ...(filter.requestRedirect && redirect ? ['redirect'] : []),
    ...Object.keys(toHeaderChanges([filter])),
    ...(route ? [...host, ...path, ...mirror].map((name) => `route.${name}`) : []),
  ];
}

function present(action: RouteAction | undefined, names: readonly (keyof RouteAction & string)[]): readonly string[] {
  return names.filter((name) => action?.[name] !== undefined);
}

function destinationParts({ route, direct_response }: Route): readonly string[] {
  return [...(direct_response ? ['direct_response'] : []), ...present(route, ['cluster', 'weighted_clusters']).map((name) => `route.${name}`)];
}
