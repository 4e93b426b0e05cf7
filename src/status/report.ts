/** What runs where, from what the proxies have said: one row a proxy and one row a policy. Pure. */
import { createTally, type ProxyCounts, type ProxyResource } from './tally.js';

/** What a proxy's stream has carried since it began. */
export interface Traffic {
  /** Messages from the proxy, acknowledgements included. */
  readonly requests: number;
  /** Messages to the proxy. */
  readonly responses: number;
  /** The bytes of those. */
  readonly bytes: number;
}

/** A connected proxy and all that it was given. */
export interface ProxyState {
  readonly id: string;
  readonly variant: 'delta' | 'sotw';
  /** RFC 3339. */
  readonly since: string;
  readonly traffic: Traffic;
  readonly resources: readonly ProxyResource[];
}

/** One row of the table of proxies. */
export interface ProxyRow {
  readonly proxy: string;
  readonly variant: 'delta' | 'sotw';
  readonly since: string;
  readonly traffic: Traffic;
  readonly state: 'Synced' | 'Pending' | 'Rejected';
  readonly synced: number;
  readonly pending: number;
  readonly rejected: number;
}

/** A refusal, in a form that leads to its cause. */
export interface RejectionRow {
  readonly proxy: string;
  readonly resource: string;
  /** The policies (with the stanza) that the refused resource was made of; a Service where none had a part in it. */
  readonly causes: readonly string[];
  /** Envoy's words. */
  readonly message: string;
}

/** One row of the table of policies: on how many connected proxies it is in effect. */
export interface PolicyRow extends ProxyCounts {
  readonly policy: string;
}

/** The whole report. */
export interface Report {
  readonly proxies: readonly ProxyRow[];
  readonly policies: readonly PolicyRow[];
  readonly rejections: readonly RejectionRow[];
}

/** Makes the report of what the proxies have. */
export function makeReport(proxies: readonly ProxyState[]): Report {
  return {
    proxies: proxies.map(proxyRow).sort((a, b) => compare(a.proxy, b.proxy)),
    policies: policyRows(proxies),
    rejections: proxies.flatMap(rejectionRows).sort((a, b) => compare(a.proxy, b.proxy) || compare(a.resource, b.resource)),
  };
}

function proxyRow({ id, variant, since, traffic, resources }: ProxyState): ProxyRow {
  const count = (state: ProxyResource['state']) => resources.filter((resource) => resource.state === state).length;
  const rejected = count('Rejected');
  const pending = count('Pending');
  const state = rejected > 0 ? 'Rejected' : pending > 0 ? 'Pending' : 'Synced';
  return { proxy: id, variant, since, traffic, state, synced: count('Synced'), pending, rejected };
}

function rejectionRows({ id, resources }: ProxyState): readonly RejectionRow[] {
  return resources
    .filter(({ state }) => state === 'Rejected')
    .map(({ type, name, message = '', causes }) => ({ proxy: id, resource: `${type} ${name}`, causes: causeNames(causes), message }));
}

function causeNames(causes: ProxyResource['causes']): readonly string[] {
  const policies = causes.filter(({ object }) => object.kind === 'TrafficPolicy');
  const named = policies.length > 0 ? policies : causes;
  return [...new Set(named.map(({ object, field }) => `${object.kind} ${object.namespace}/${object.name}${field ? ` ${field}` : ''}`))].sort();
}

function policyRows(proxies: readonly ProxyState[]): readonly PolicyRow[] {
  const tally = createTally();
  for (const proxy of proxies) tally.add(proxy);
  return tally.rows().map(({ policy, matched, acknowledged, rejected, pending }) => ({ policy, matched, acknowledged, rejected, pending }));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
