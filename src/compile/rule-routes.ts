/** One rule of a `rules` stanza as Envoy routes. */
import type { Message, Route, RouteAction } from '../envoy/types.js';
import type { RankedMatch } from '../features/rules/precedence.js';
import type { Filter, Rule } from '../features/rules/schema.js';
import { toHeaderChanges } from '../features/rules/to-headers.js';
import { toRouteMatch } from '../features/rules/to-match.js';
import { toPathRewrite } from '../features/rules/to-path.js';
import { toRedirect } from '../features/rules/to-redirect.js';
import type { Diagnostic } from '../model/diagnostic.js';
import type { ObjectRef } from '../model/name.js';
import { type Backend, type BackendServices, type Reference, toBackend } from './backends.js';
import type { Audience, Provenance } from './contract.js';
import { provenanceOf, routeContributions } from './contributions.js';
import { ownFields, treatment } from './default-action.js';
import { nowhereCluster } from './names.js';
import type { RoutesInput } from './routes.js';
import { type RuleOrigin, ruleProvenance } from './rule-provenance.js';
import { hostRewrite, type Share, toDestination } from './shares.js';

type Mirror = Message<'envoy.config.route.v3.RouteAction.RequestMirrorPolicy'>;
type FractionalPercent = Message<'envoy.type.v3.FractionalPercent'>;

/** The rules of which policy, for which Service. */
export interface RuleContext {
  readonly input: RoutesInput;
  readonly policy: ObjectRef;
  readonly services: BackendServices;
}

/** Routes in their order, each with what made its parts; `part` is relative to the route. */
export interface TracedRoute {
  readonly route: Route;
  readonly provenance: readonly Provenance[];
}

type Contributions = ReturnType<typeof routeContributions>;

/** What all matches of a rule have in common. */
interface RuleTarget {
  readonly action: RouteAction | undefined;
  /** The rule's filters whose header changes stand on the route: none where they stand with each backend. */
  readonly headerFilters: readonly Filter[];
  /** The share of the requests that references which lead nowhere take; they are answered with 500. */
  readonly broken: FractionalPercent | undefined;
}

/** The routes of one match: usually one, and one before it for the share of references that lead nowhere. */
export function ruleRoutes(ranked: RankedMatch, context: RuleContext): readonly TracedRoute[] {
  const { rule, ruleIndex, match, matchIndex } = ranked;
  const origin: RuleOrigin = { object: context.policy, field: `spec.rules[${rule.name ?? ruleIndex}]` };
  const base: Route = { name: rule.name ?? `rules[${ruleIndex}]`, match: toRouteMatch(match, context.input.client) };
  const trace = (route: Route, more: readonly Provenance[] = []): TracedRoute => ({
    route,
    provenance: [
      { ...origin, part: '' },
      { ...origin, field: `${origin.field}.matches[${matchIndex}]`, part: 'match' },
      ...ruleProvenance(rule, route, origin),
      ...more,
    ],
  });
  const redirect = redirectRoute(base, ranked, context);
  if (redirect) return [trace(redirect)];
  const target = ruleTarget(rule, context);
  const { action, broken } = target;
  const failed = broken ? [trace(brokenRoute(base, broken, context.input.client))] : [];
  if (!action) return failed;
  const contributions = routeContributions(context.input.effective, contextOf(context.input), {
    ...origin,
    stanzas: { timeouts: rule.timeouts, retry: rule.retry },
  });
  return [...failed, trace(forwardingRoute(base, target, ranked, contributions, context), contributions.flatMap(routeProvenance))];
}

function redirectRoute(base: Route, { rule: { filters = [] }, match }: RankedMatch, { input }: RuleContext): Route | undefined {
  const redirect = filters.find(({ requestRedirect }) => requestRedirect)?.requestRedirect;
  if (redirect && input.client === 'grpc') return { ...base, route: { cluster: nowhereCluster } };
  return redirect && { ...base, redirect: toRedirect(redirect, match, input.port.port), ...toHeaderChanges(filters) };
}

function forwardingRoute(base: Route, target: RuleTarget, ranked: RankedMatch, contributions: Contributions, { input }: RuleContext): Route {
  const parts = contributions.map((contribution) => contribution.parts);
  const treated = treatment(parts, input.client, Boolean(ranked.rule.retry ?? input.effective.get('retry')));
  const route = { ...treated, ...target.action, ...hostRewrite(target.headerFilters), ...pathRewrite(ranked) };
  return { ...base, ...toHeaderChanges(target.headerFilters), ...ownFields(parts), route };
}

/** What stanzas see of the calls: a port asked for by name over HTTP is called as HTTP, whatever it declares. */
export function contextOf({ port, client }: RoutesInput) {
  return { protocol: port.protocol === 'TCP' ? 'HTTP' : port.protocol, client } as const;
}

/** Which fields of a route a contribution wrote. */
export function routeProvenance(contribution: Contributions[number]): readonly Provenance[] {
  return [
    ...provenanceOf(contribution.parts.route, contribution, ''),
    ...provenanceOf(contribution.parts.action, contribution, 'route.'),
    ...provenanceOf(contribution.parts.retryPolicy, contribution, 'route.retry_policy.'),
  ];
}

function pathRewrite({ rule: { filters = [] }, match }: RankedMatch): RouteAction {
  return toPathRewrite(filters.find(({ urlRewrite }) => urlRewrite?.path)?.urlRewrite?.path, match);
}

/**
 * Answers 500, as the Gateway API asks for references that lead nowhere and for weights that are all 0. Proxyless gRPC refuses
 * a route that answers by itself, and its client for Node.js ends its process over one that does not forward (gRFC A36).
 */
function brokenRoute(base: Route, share: FractionalPercent, client: Audience['client']): Route {
  const match = share.numerator === million ? base.match : { ...base.match, runtime_fraction: { default_value: share } };
  return client === 'grpc' ? { ...base, match, route: { cluster: nowhereCluster } } : { ...base, match, direct_response: { status: 500 } };
}

const million = 1_000_000;

function ruleTarget(rule: Rule, context: RuleContext): RuleTarget {
  const mirrors = mirrorPolicies(rule, context);
  const shared = mirrors.length > 0 ? { request_mirror_policies: mirrors } : {};
  const { backendRefs: refs = [], filters: headerFilters = [] } = rule;
  if (refs.length === 0 || context.input.pod) return { action: { cluster: context.input.cluster, ...shared }, headerFilters, broken: undefined };
  const split = refs.map((ref) => ({ ref, weight: ref.weight ?? 1, backend: backendOf(ref, context) }));
  const total = split.reduce((sum, { weight }) => sum + weight, 0);
  const working: readonly Share[] = split.flatMap(({ ref, weight, backend }) =>
    'cluster' in backend && weight > 0 ? [{ filters: ref.filters ?? [], weight, cluster: backend.cluster }] : [],
  );
  const lost = total - working.reduce((sum, { weight }) => sum + weight, 0);
  if (working.length === 0) return { action: undefined, headerFilters, broken: millionths(1, 1) };
  const { action, headerFilters: left } = toDestination(working, headerFilters);
  return { action: { ...action, ...shared }, headerFilters: left, broken: lost > 0 ? millionths(lost, total) : undefined };
}

function millionths(part: number, whole: number): FractionalPercent {
  return { numerator: Math.round((part * million) / whole), denominator: 'MILLION' };
}

function mirrorPolicies({ filters = [] }: Rule, context: RuleContext): readonly Mirror[] {
  return filters.flatMap(({ requestMirror }) => {
    const backend = requestMirror && backendOf(requestMirror.backendRef, context);
    if (!backend || !('cluster' in backend)) return [];
    const share = mirrorShare(requestMirror);
    return [{ cluster: backend.cluster, disable_shadow_host_suffix_append: true, ...(share ? { runtime_fraction: { default_value: share } } : {}) }];
  });
}

function mirrorShare({ percent, fraction }: NonNullable<Filter['requestMirror']>): FractionalPercent | undefined {
  if (fraction) return millionths(fraction.numerator, fraction.denominator ?? 100);
  return percent === undefined ? undefined : { numerator: percent, denominator: 'HUNDRED' };
}

function backendOf(reference: Reference, { input, policy, services }: RuleContext): Backend {
  return toBackend(reference, services, policy.namespace, input.service.namespace);
}

/** What is wrong with the references of a rule, once for the rule however many matches it has. */
export function ruleDiagnostics({ backendRefs = [], filters = [] }: Rule, index: number, context: RuleContext): readonly Diagnostic[] {
  const references = [
    ...backendRefs.map((reference, place) => ({ reference, field: `backendRefs[${place}]` })),
    ...filters.flatMap(({ requestMirror }, place) =>
      requestMirror ? [{ reference: requestMirror.backendRef, field: `filters[${place}].requestMirror.backendRef` }] : [],
    ),
  ];
  return references.flatMap(({ reference, field }) => referenceDiagnostic(reference, `spec.rules[${index}].${field}`, context));
}

function referenceDiagnostic(reference: Reference, path: string, context: RuleContext): readonly Diagnostic[] {
  const backend = backendOf(reference, context);
  if ('cluster' in backend) return [];
  const { reason, field, message, remedy } = backend;
  return [{ severity: 'error', object: context.policy, field: `${path}.${field}`, value: JSON.stringify(reference[field]), reason, message, remedy }];
}
