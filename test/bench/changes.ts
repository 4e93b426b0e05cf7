/** Changes of the mesh, one after another: how long each takes to the last proxy that depends on it, and what it costs the server. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Expectation, Fleet } from './fleet.js';
import { type Prepared, prepareEndpoint, preparePolicy, prepareService } from './folder.js';
import { dependentsOf, pinnedServices, proxyAt, type Size, serviceAt, someProxies, spareAddress } from './plan.js';
import type { ServerUnderTest } from './server.js';
import { mean, type Summary, summarize } from './statistics.js';
import { field } from './wire.js';

/** A running server with its proxies. */
export interface Bench {
  readonly size: Size;
  readonly folder: string;
  readonly server: ServerUnderTest;
  readonly fleet: Fleet;
}

/** How many changes of each kind, and the time from the end of one to the next, in milliseconds. */
export interface Plan {
  readonly endpoints: number;
  readonly uncalled: number;
  readonly policies: number;
  readonly services: number;
  readonly pauseMs: number;
}

/** What changes of one kind took and cost. */
export interface ChangeFigures {
  readonly kind: string;
  /** Proxies that a change concerned, on average. */
  readonly dependents: number;
  /** Milliseconds from the rename of the file to the last proxy of each change. */
  readonly last: Summary;
  /** To each proxy, of all changes together. */
  readonly each: Summary;
  /** Milliseconds of CPU in the server for one change, what it uses when idle taken off. */
  readonly cpu: Summary;
  /** Bytes of responses for one change, to all proxies together. */
  readonly bytes: number;
  /** Responses to proxies that no change concerned; should be 0. */
  readonly strays: number;
  /** Milliseconds: the 99th percentile of how long events waited for the server's event loop. */
  readonly loopDelay: number;
}

/** A change, ready to be made. */
interface Change {
  /** Those whom it concerns, and those who may be told as well: replicas of the same workloads. */
  readonly dependents: readonly number[];
  readonly siblings: ReadonlySet<number>;
  /** Makes it visible; resolves to the moments at which it had reached each dependent. */
  readonly make: () => Promise<readonly number[]>;
}

/** Changes that are made before any is measured, so that the server's code is compiled. */
const warmUps = 5;

/** Runs all kinds of a plan. `idle` is the server's CPU when nothing happens, in milliseconds per millisecond. */
export async function measureChanges(bench: Bench, plan: Plan, idle: number): Promise<readonly ChangeFigures[]> {
  const targets = targetsOf(bench.size);
  const uncalled = uncalledOf(bench.size);
  const target = (number: number) => targets[number % targets.length] ?? targets[0];
  let spare = 0;
  const endpoint = (number: number) => endpointChange(bench, target(number), spare++);
  for (let number = 0; number < warmUps; number++) await measureOne(bench, endpoint(number), plan.pauseMs);
  const kinds: readonly (readonly [string, number, (number: number) => Change])[] = [
    ['endpoint', plan.endpoints, endpoint],
    ['endpoint that nobody calls', uncalled === undefined ? 0 : plan.uncalled, () => endpointChange(bench, [uncalled ?? 0, []], spare++)],
    ['policy', plan.policies, (number) => policyChange(bench, target(number), number)],
    ['new service', plan.services, (number) => serviceChange(bench, number)],
  ];
  const figures: ChangeFigures[] = [];
  for (const [kind, count, change] of kinds) if (count > 0) figures.push(await measureKind(bench, kind, count, change, plan.pauseMs, idle));
  return figures;
}

/** The server's CPU in milliseconds per millisecond, read as it is read for changes. */
export async function measureIdle({ server }: Bench, pauseMs: number): Promise<number> {
  const rates: number[] = [];
  for (let number = 0; number < 10; number++) {
    const [begin, before] = [performance.now(), await server.ask('read')];
    await sleep(Math.min(pauseMs, 200));
    const after = await server.ask('read');
    rates.push((after.cpu - before.cpu) / 1000 / (performance.now() - begin));
  }
  return summarize(rates).p50;
}

interface Made {
  readonly times: readonly number[];
  readonly cpu: number;
  readonly elapsed: number;
  readonly bytes: number;
  readonly strays: number;
}

async function measureKind(
  bench: Bench,
  kind: string,
  count: number,
  change: (number: number) => Change,
  pauseMs: number,
  idle: number,
): Promise<ChangeFigures> {
  const all: Made[] = [];
  let dependents = 0;
  await bench.server.ask('reset');
  for (let number = 0; number < count; number++) {
    const next = change(number);
    dependents += next.dependents.length;
    all.push(await measureOne(bench, next, pauseMs));
  }
  const { delayP99 } = await bench.server.ask('read');
  return {
    kind,
    dependents: dependents / count,
    last: summarize(all.map(({ times }) => Math.max(0, ...times))),
    each: summarize(all.flatMap(({ times }) => times)),
    cpu: summarize(all.map(({ cpu, elapsed }) => Math.max(0, cpu - idle * elapsed))),
    bytes: mean(all.map(({ bytes }) => bytes)),
    strays: all.reduce((sum, { strays }) => sum + strays, 0),
    loopDelay: delayP99,
  };
}

async function measureOne({ server, fleet }: Bench, { dependents, siblings, make }: Change, pauseMs: number): Promise<Made> {
  const before = fleet.traffic.map((traffic) => ({ ...traffic }));
  const figures = await server.ask('read');
  const begin = performance.now();
  const times = (await make()).map((time) => time - begin);
  await sleep(pauseMs);
  const cpu = ((await server.ask('read')).cpu - figures.cpu) / 1000;
  const received = fleet.traffic.map(({ messages, bytes }, index) => ({
    messages: messages - (before[index]?.messages ?? 0),
    bytes: bytes - (before[index]?.bytes ?? 0),
  }));
  const concerned = new Set([...dependents, ...siblings]);
  const strays = received.reduce((sum, { messages }, index) => sum + (concerned.has(index) ? 0 : messages), 0);
  return { times, cpu, elapsed: performance.now() - begin, bytes: received.reduce((sum, { bytes }) => sum + bytes, 0), strays };
}

type Target = readonly [service: number, dependents: readonly number[]];

/** The Services that changes hit: called ones, spread over all, or the pinned ones. */
function targetsOf(size: Size): readonly [Target, ...Target[]] {
  const called = [...dependentsOf(size)].filter(([service]) => size.pattern !== 'pinned' || service < pinnedServices);
  const step = Math.max(1, Math.floor(called.length / 40));
  const [first, ...rest] = called.filter((_, index) => index % step === 0);
  if (!first) throw new Error('no Service is called');
  return [first, ...rest];
}

function uncalledOf(size: Size): number | undefined {
  const called = dependentsOf(size);
  return Array.from({ length: size.services }, (_, index) => index).find((index) => !called.has(index));
}

/** The marker is the address as a SocketAddress has it, so that 10.0.0.1 is not found in 10.0.0.12. */
function endpointChange({ size, folder, fleet }: Bench, [service, dependents]: Target, spare: number): Change {
  const address = spareAddress(spare);
  const prepared = prepareEndpoint(folder, serviceAt(size, service), address);
  return expected(fleet, prepared, { types: ['eds'], marker: field(2, address), proxies: dependents });
}

function policyChange({ size, folder, fleet }: Bench, [service, dependents]: Target, number: number): Change {
  const marker = `marker-${number}-`;
  const prepared = preparePolicy(folder, serviceAt(size, service), marker);
  return expected(fleet, prepared, { types: ['vhds', 'rds'], marker: Buffer.from(marker), proxies: dependents });
}

function expected(fleet: Fleet, { commit }: Prepared, expectation: Expectation): Change {
  const make = () => {
    const arrival = expectation.proxies.length === 0 ? Promise.resolve([]) : fleet.expect(expectation);
    commit();
    return arrival;
  };
  return { dependents: expectation.proxies, siblings: new Set(), make };
}

/**
 * Five proxies of different workloads call a Service the moment that its file is there, so mostly before the server has read it
 * and while calls to its address still pass through: it has arrived with its endpoints.
 */
function serviceChange({ size, folder, fleet }: Bench, number: number): Change {
  const service = serviceAt(size, size.services + number);
  const { commit } = prepareService(folder, service);
  const callers = someProxies(size, 5);
  const workloads = new Set(callers.map((caller) => proxyAt(size, caller).workload));
  const siblings = fleet.traffic.flatMap((_, index) => (workloads.has(proxyAt(size, index).workload) ? [index] : []));
  const make = () => {
    const arrival = fleet.expect({ types: ['eds'], marker: field(2, service.addresses[0] ?? ''), proxies: callers });
    commit();
    return Promise.all([arrival, ...callers.map((caller) => fleet.call(caller, `${service.clusterIP}:80`))]).then(([times]) => times);
  };
  return { dependents: callers, siblings: new Set(siblings), make };
}
