/** On how many proxies each policy is in effect, from what each proxy holds. Pure. */

/** How one proxy stands with one resource, and what made that resource. */
export interface ProxyResource {
  /** `VirtualHost`, `Cluster`, ... */
  readonly type: string;
  readonly name: string;
  readonly state: 'Synced' | 'Pending' | 'Rejected' | 'Absent';
  /** The proxy's own words, where the state is Rejected. */
  readonly message?: string | undefined;
  readonly causes: readonly { readonly object: { readonly kind: string; readonly namespace: string; readonly name: string }; readonly field: string }[];
}

/** What a proxy has refused of a policy. */
export interface Rejection {
  readonly proxy: string;
  /** `VirtualHost out/reviews.shop:9080`. */
  readonly resource: string;
  /** The part of the policy that shaped it: `rules[beta-testers]`; empty for the policy as a whole. */
  readonly stanza: string;
  /** Envoy's words. */
  readonly message: string;
}

/** How many connected proxies a policy concerns, and what they said. */
export interface ProxyCounts {
  /** Proxies that hold a resource which the policy shapes. */
  readonly matched: number;
  /** Of these, how many run every such resource as it is now. */
  readonly acknowledged: number;
  /** Of these, how many have refused one. */
  readonly rejected: number;
  /** Of these, how many have not answered yet. */
  readonly pending: number;
}

/** The counts of one policy, by its `namespace/name`. */
export interface PolicyCounts extends ProxyCounts {
  readonly policy: string;
  /** One of the refusals, the first by proxy and resource; left out where there is none. */
  readonly lastRejection?: Rejection | undefined;
}

/** What a tally reads of a proxy. */
export interface TalliedProxy {
  readonly id: string;
  readonly resources: readonly ProxyResource[];
}

/** Counts proxies one by one, so that whoever counts many can give way in between. */
export interface Tally {
  readonly add: (proxy: TalliedProxy) => void;
  /** One row a policy, sorted. */
  readonly rows: () => readonly PolicyCounts[];
}

/** A proxy runs a policy when all resources that the policy had a part in are taken over; one refusal is enough to reject it. */
export function createTally(): Tally {
  const rows = new Map<string, PolicyCounts>();
  return {
    add: ({ id, resources }) => {
      for (const [policy, standing] of standings(id, resources)) rows.set(policy, addCounts(rows.get(policy) ?? { policy, ...noProxies }, countsOf(standing)));
    },
    rows: () => [...rows.values()].sort((a, b) => compare(a.policy, b.policy)),
  };
}

/** Nobody. */
export const noProxies: ProxyCounts = { matched: 0, acknowledged: 0, rejected: 0, pending: 0 };

/** The sum of two counts about the same policy; of two refusals the first by proxy and resource stays. */
export function addCounts(a: PolicyCounts, b: Omit<PolicyCounts, 'policy'>): PolicyCounts {
  const lastRejection = firstRejection(a.lastRejection, b.lastRejection);
  return {
    policy: a.policy,
    matched: a.matched + b.matched,
    acknowledged: a.acknowledged + b.acknowledged,
    rejected: a.rejected + b.rejected,
    pending: a.pending + b.pending,
    ...(lastRejection ? { lastRejection } : {}),
  };
}

function firstRejection(a: Rejection | undefined, b: Rejection | undefined): Rejection | undefined {
  if (!a || !b) return a ?? b;
  return (compare(a.proxy, b.proxy) || compare(a.resource, b.resource)) <= 0 ? a : b;
}

interface Standing {
  isPending: boolean;
  rejection?: Rejection | undefined;
}

function standings(proxy: string, resources: readonly ProxyResource[]): ReadonlyMap<string, Standing> {
  const found = new Map<string, Standing>();
  for (const { type, name, state, message = '', causes } of resources) {
    if (state === 'Absent') continue;
    for (const { object, field } of causes) {
      if (object.kind !== 'TrafficPolicy') continue;
      const policy = `${object.namespace}/${object.name}`;
      const standing = found.get(policy) ?? { isPending: false };
      if (state === 'Pending') standing.isPending = true;
      if (state === 'Rejected')
        standing.rejection = firstRejection(standing.rejection, { proxy, resource: `${type} ${name}`, stanza: stanzaOf(field), message });
      found.set(policy, standing);
    }
  }
  return found;
}

/** `rules[beta-testers]` of `spec.rules[beta-testers].filters[0]`: a name may hold dots. */
function stanzaOf(field: string): string {
  return /^spec\.(\w+(?:\[[^\]]*\])?)/.exec(field)?.[1] ?? '';
}

function countsOf({ isPending, rejection }: Standing): Omit<PolicyCounts, 'policy'> {
  if (rejection) return { ...noProxies, matched: 1, rejected: 1, lastRejection: rejection };
  return isPending ? { ...noProxies, matched: 1, pending: 1 } : { ...noProxies, matched: 1, acknowledged: 1 };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
