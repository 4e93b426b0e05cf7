/** What the measured mesh looks like: names, addresses, and who calls what, all following from a few numbers. */

/** The size of a run. */
export interface Size {
  readonly services: number;
  /** Per Service; each has a Pod. */
  readonly endpoints: number;
  readonly proxies: number;
  /** Proxies are replicas of workloads; all replicas of one call the same Services. */
  readonly workloads: number;
  /** Services that a workload calls. */
  readonly calls: number;
  /**
   * `random`: each workload calls Services of its own, a fixed pseudo-random choice. `pinned`: the first Services
   * ({@link pinnedServices}) are called by the first workloads ({@link pinnedWorkloads}) alone, whatever the size of the
   * rest. `same`: every workload calls the same Services.
   */
  readonly pattern: 'random' | 'pinned' | 'same';
}

/** Services whose number stays what it is while everything else grows, and the number of workloads that call them. */
export const pinnedServices = 5;
const pinnedWorkloads = 2;

const namespaces = 10;
const zones = 3;

/** A Service of the mesh, seeded or added later. */
export interface PlannedService {
  readonly namespace: string;
  readonly name: string;
  readonly clusterIP: string;
  readonly addresses: readonly string[];
}

/** A workload's replica that has a proxy. */
export interface PlannedProxy {
  readonly namespace: string;
  readonly pod: string;
  readonly app: string;
  readonly address: string;
  readonly workload: number;
}

/** All namespaces. */
export const allNamespaces: readonly string[] = Array.from({ length: namespaces }, (_, index) => `bench-${index}`);

/** Service number `index`; those beyond the seeded ones are added during a run. */
export function serviceAt({ endpoints }: Pick<Size, 'endpoints'>, index: number): PlannedService {
  return {
    namespace: `bench-${index % namespaces}`,
    name: `service-${String(index).padStart(5, '0')}`,
    clusterIP: addressFrom(96, index + 1),
    addresses: Array.from({ length: endpoints }, (_, number) => addressFrom(128, index * endpoints + number + 1)),
  };
}

/** Proxy number `index`. */
export function proxyAt({ proxies, workloads }: Pick<Size, 'proxies' | 'workloads'>, index: number): PlannedProxy {
  const workload = Math.floor((index * workloads) / proxies);
  const app = `client-${String(workload).padStart(3, '0')}`;
  return { namespace: `bench-${workload % namespaces}`, pod: `${app}-${index}`, app, address: addressFrom(200, index + 1), workload };
}

/** An address that no Service has yet: what replaces an endpoint in change number `index`. */
export function spareAddress(index: number): string {
  return addressFrom(220, index + 1);
}

/** The zone of the Pod behind an endpoint. */
export function zoneOf(endpoint: number): string {
  return `zone-${endpoint % zones}`;
}

/** The numbers of the Services that a workload calls, in the order of its calls. */
export function calledBy(size: Size, workload: number): readonly number[] {
  const { services, calls, pattern } = size;
  if (pattern === 'same') return Array.from({ length: Math.min(calls, services) }, (_, index) => index);
  if (pattern === 'random') return sample(workload, 0, services, calls);
  const pinned = workload < pinnedWorkloads ? Array.from({ length: pinnedServices }, (_, index) => index) : [];
  return [...pinned, ...sample(workload, pinnedServices, services, calls - pinned.length)];
}

/** The proxies that call each Service that is called at all, by the Service's number, ascending. */
export function dependentsOf(size: Size): ReadonlyMap<number, readonly number[]> {
  const dependents = new Map<number, number[]>();
  for (let proxy = 0; proxy < size.proxies; proxy++) {
    for (const service of calledBy(size, proxyAt(size, proxy).workload)) {
      const callers = dependents.get(service) ?? [];
      callers.push(proxy);
      dependents.set(service, callers);
    }
  }
  return new Map([...dependents].sort(([a], [b]) => a - b));
}

/** The first proxy of each of some workloads, spread over all. */
export function someProxies({ proxies, workloads }: Pick<Size, 'proxies' | 'workloads'>, count: number): readonly number[] {
  const step = Math.max(1, Math.floor(workloads / count));
  const perWorkload = Math.floor(proxies / workloads);
  return Array.from({ length: Math.min(count, workloads) }, (_, index) => index * step * perWorkload);
}

/** `count` different numbers from `low` up to and without `high`. */
function sample(seed: number, low: number, high: number, count: number): readonly number[] {
  const random = randomFrom(seed);
  const chosen = new Set<number>();
  while (chosen.size < Math.min(count, high - low)) chosen.add(low + Math.floor(random() * (high - low)));
  return [...chosen];
}

/** Mulberry32: a small generator of reproducible numbers in [0, 1). */
function randomFrom(seed: number): () => number {
  let state = (seed + 1) * 0x9e3779b1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** Numbers addresses upwards from 10.SECOND.0.0. */
function addressFrom(second: number, number: number): string {
  return `10.${second + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
}
