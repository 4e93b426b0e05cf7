/** One run: a folder, a server over it, proxies that start cold and call, and then changes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, type ChangeFigures, measureChanges, measureIdle, type Plan } from './changes.js';
import { createFleet } from './fleet.js';
import { writeFolder } from './folder.js';
import { calledBy, proxyAt, type Size, serviceAt } from './plan.js';
import type { Figures } from './probe.js';
import type { Oddities } from './proxy.js';
import { type ServerUnderTest, startUnderTest } from './server.js';
import { mean, type Summary, summarize } from './statistics.js';

/** What to run. */
export interface RunOptions {
  readonly label: string;
  readonly size: Size;
  readonly plan: Plan;
  /** The server's script and its first arguments. */
  readonly script: readonly string[];
  readonly nodeOptions: readonly string[];
}

/** One step of the start: how long until the last proxy, and the server's CPU, in milliseconds. */
export interface Step {
  readonly each: Summary;
  readonly wall: number;
  readonly cpu: number;
  readonly loopDelay: number;
  /** The mean for a proxy. */
  readonly bytes: number;
}

/** Memory in bytes. */
export interface Memory {
  /** The mesh read, nobody connected, garbage collected. */
  readonly before: Figures;
  /** All have called. */
  readonly after: Figures;
  readonly perProxyRss: number;
  readonly perProxyHeap: number;
  /** All changes made, garbage collected. */
  readonly end: Figures;
  readonly peakRss: number;
}

/** All figures of a run. */
export interface RunFigures {
  readonly label: string;
  readonly size: Size;
  readonly startMs: number;
  /** From all connecting at once until every listener is warm. */
  readonly connect: Step;
  /** From all calling at once until every call can pass. */
  readonly calls: Step;
  readonly memory: Memory;
  /** The server's CPU while nothing happens, as a share of one processor. */
  readonly idle: number;
  readonly changes: readonly ChangeFigures[];
  readonly oddities: Oddities;
}

/** Runs; whatever happens, the server is stopped and the folder removed. */
export async function run(options: RunOptions): Promise<RunFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-bench-'));
  let server: ServerUnderTest | undefined;
  try {
    await writeFolder(folder, options.size);
    server = await startUnderTest({ folder, script: options.script, nodeOptions: options.nodeOptions });
    return await runOn(options, folder, server);
  } finally {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Time for a start to come to rest. */
const settleMs = 1000;

async function runOn({ label, size, plan }: RunOptions, folder: string, server: ServerUnderTest): Promise<RunFigures> {
  const fleet = createFleet(size, server.port);
  const bench: Bench = { size, folder, server, fleet };
  try {
    await sleep(settleMs);
    const before = await server.ask('collect');
    const connect = await step(bench, fleet.connect);
    const calls = await step(bench, () => callAll(bench));
    const after = await server.ask('read');
    const idle = await measureIdle(bench, plan.pauseMs);
    const changes = await measureChanges(bench, plan, idle);
    // Changes right after a forced collection were seen to cost more CPU, so it comes last.
    const end = await server.ask('collect');
    const memory = {
      ...{ before, after, end, peakRss: await server.peakRss() },
      ...{ perProxyRss: (after.rss - before.rss) / size.proxies, perProxyHeap: (end.heap - before.heap) / size.proxies },
    };
    return { label, size, startMs: server.startMs, connect, calls, memory, idle, changes, oddities: fleet.oddities() };
  } finally {
    fleet.close();
  }
}

async function step({ server, fleet }: Bench, act: () => Promise<readonly number[]>): Promise<Step> {
  const total = () => mean(fleet.traffic.map(({ bytes }) => bytes));
  const bytes = total();
  const { cpu } = await server.ask('reset');
  const begin = performance.now();
  const times = await act();
  const wall = performance.now() - begin;
  await sleep(settleMs);
  const after = await server.ask('read');
  return { each: summarize(times), wall, cpu: (after.cpu - cpu) / 1000, loopDelay: after.delayP99, bytes: total() - bytes };
}

function callAll({ size, fleet }: Bench): Promise<readonly number[]> {
  const calls: Promise<number>[] = [];
  for (let proxy = 0; proxy < size.proxies; proxy++) {
    for (const service of calledBy(size, proxyAt(size, proxy).workload)) calls.push(fleet.call(proxy, `${serviceAt(size, service).clusterIP}:80`));
  }
  return Promise.all(calls);
}
