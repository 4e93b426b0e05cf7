/** The routes of a port of a Service: its `rules` if it has any, each with the stanzas that hold for it. */
import type { Route, RouteAction } from '../envoy/types.js';
import { byPrecedence } from '../features/rules/precedence.js';
import type { Diagnostic } from '../model/diagnostic.js';
import type { Mesh } from '../model/mesh.js';
import type { Service, ServicePort } from '../model/service.js';
import { type BackendServices, backendServices } from './backends.js';
import type { Audience, Provenance } from './contract.js';
import { routeContributions } from './contributions.js';
import { ownFields, treatment } from './default-action.js';
import type { Effective } from './effective.js';
import { createMemo } from './memo.js';
import { contextOf, routeProvenance, ruleDiagnostics, ruleRoutes, type TracedRoute } from './rule-routes.js';
import { stanzaOf } from './stanza.js';

/** What is called, by whom. */
export interface RoutesInput {
  readonly service: Service;
  readonly port: ServicePort;
  readonly effective: Effective;
  readonly client: Audience['client'];
  /** Where calls go that no rule sends elsewhere. */
  readonly cluster: string;
  /** Whether a pod was called by its own address: rules then treat the call, but it goes to this pod and no other. */
  readonly pod: boolean;
}

/** Routes, and what they need and owe. */
export interface Routes {
  readonly routes: readonly Route[];
  /** Where calls go that no rule sends elsewhere. */
  readonly cluster: string;
  /** Every cluster they name, each once. */
  readonly clusters: readonly string[];
  /** `part` begins with `routes[N]`. */
  readonly provenance: readonly Provenance[];
  readonly diagnostics: readonly Diagnostic[];
}

const memo = createMemo<Routes>();

/** The routes; the same object for the same input and the same backends. */
export function routesFor(mesh: Mesh, input: RoutesInput): Routes {
  const rules = stanzaOf(input.effective, 'rules');
  const namespace = input.effective.get('rules')?.policy.namespace ?? '';
  const services: BackendServices = rules ? backendServices(mesh, rules, namespace) : new Map();
  const { service, effective, port, client, cluster } = input;
  const keys = [...services].flat();
  return memo([service, effective, port, client, cluster, ...keys], () => build(input, services));
}

function build(input: RoutesInput, services: BackendServices): Routes {
  const rules = stanzaOf(input.effective, 'rules');
  const policy = input.effective.get('rules')?.policy;
  const context = policy && { input, policy, services };
  const traced = rules && context ? byPrecedence(rules).flatMap((match) => ruleRoutes(match, context)) : [defaultRoute(input)];
  return {
    routes: traced.map(({ route }) => route),
    cluster: input.cluster,
    clusters: [...new Set(traced.flatMap(({ route }) => clustersOf(route.route)))].sort(),
    provenance: traced.flatMap(({ provenance }, index) => provenance.map((each) => ({ ...each, part: `routes[${index}]${each.part ? `.${each.part}` : ''}` }))),
    diagnostics: rules && context ? rules.flatMap((rule, index) => ruleDiagnostics(rule, index, context)) : [],
  };
}

/** Everything goes to the Service itself. */
function defaultRoute(input: RoutesInput): TracedRoute {
  const { service, effective, client, cluster } = input;
  const contributions = routeContributions(effective, contextOf(input));
  const parts = contributions.map((contribution) => contribution.parts);
  const action = { ...treatment(parts, client, effective.has('retry')), cluster };
  return {
    route: { name: 'default', match: { prefix: '/' }, ...ownFields(parts), route: action },
    provenance: [
      { object: { kind: 'Service', namespace: service.namespace, name: service.name }, field: '', part: '' },
      ...contributions.flatMap(routeProvenance),
    ],
  };
}

function clustersOf(action: RouteAction | undefined): readonly string[] {
  const weighted = action?.weighted_clusters?.clusters ?? [];
  const mirrors = action?.request_mirror_policies ?? [];
  return [action?.cluster, ...weighted.map(({ name }) => name), ...mirrors.map(({ cluster }) => cluster)].filter((name) => name !== undefined);
}
