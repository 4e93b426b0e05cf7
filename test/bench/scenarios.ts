/** The runs that `npm run bench` makes, and what is held against what. */
import { fileURLToPath } from 'node:url';
import type { Plan } from './changes.js';
import type { Size } from './plan.js';
import { type RunFigures, run } from './run.js';
import { weftServe } from './server.js';

/** What holds for all runs of a scenario. */
export interface ScenarioOptions {
  readonly size: Size;
  readonly plan: Plan;
  readonly nodeOptions: readonly string[];
  readonly progress: (line: string) => void;
}

/** The mesh as it is asked for. */
export async function measureMesh({ size, plan, nodeOptions, progress }: ScenarioOptions): Promise<readonly RunFigures[]> {
  progress(`${describe(size)}: one run`);
  return [await run({ label: describe(size), size, plan, script: weftServe, nodeOptions })];
}

/** The same changes with the same dependents, while the mesh around them grows; `points` are pairs of Services and proxies. */
export async function measureGrowth(options: ScenarioOptions, points: readonly (readonly [number, number])[]): Promise<readonly RunFigures[]> {
  const runs: RunFigures[] = [];
  for (const [services, proxies] of points) {
    const size: Size = { ...options.size, services, proxies, workloads: proxies / 10, pattern: 'pinned' };
    options.progress(`${describe(size)}: growth`);
    runs.push(await run({ label: describe(size), size, plan: options.plan, script: weftServe, nodeOptions: options.nodeOptions }));
  }
  return runs;
}

/** Every proxy calls the same Services: each change goes to all of them, encoded once or by each stream. */
export async function measureEncoding(options: ScenarioOptions): Promise<readonly RunFigures[]> {
  const size: Size = { ...options.size, services: Math.min(100, options.size.services), pattern: 'same' };
  const runs: RunFigures[] = [];
  for (const encoding of ['shared', 'per-stream']) {
    options.progress(`${describe(size)}: encoding ${encoding}`);
    const script = [fileURLToPath(new URL('./encoding-server.js', import.meta.url)), encoding];
    runs.push(await run({ label: encoding, size, plan: { ...options.plan, uncalled: 0, services: 0 }, script, nodeOptions: options.nodeOptions }));
  }
  return runs;
}

/** A growth of a change's cost beyond this is more than what measuring makes of equal costs. */
const allowedGrowth = 2;

/** What is wrong with runs that differ in size and not in dependents: a change may not cost more in the last than in the first, nor reach others. */
export function growthProblems(runs: readonly RunFigures[]): readonly string[] {
  const first = runs[0]?.changes ?? [];
  const costs = runs.flatMap(({ label, changes }) =>
    changes.flatMap(({ kind, cpu }) => {
      const before = first.find((change) => change.kind === kind)?.cpu.p50 ?? 0;
      if (cpu.p50 <= allowedGrowth * Math.max(before, leastCpu)) return [];
      return [`${label}: a change of kind "${kind}" costs ${cpu.p50.toFixed(2)} ms of CPU, ${before.toFixed(2)} ms in ${runs[0]?.label}`];
    }),
  );
  return [...costs, ...disorders(runs)];
}

/** What is wrong with runs by themselves. */
export function disorders(runs: readonly RunFigures[]): readonly string[] {
  return runs.flatMap(({ label, changes, oddities }) => [
    ...changes.flatMap(({ kind, strays }) => (strays > 0 ? [`${label}: ${strays} responses went to proxies that no change of kind "${kind}" concerned`] : [])),
    ...Object.entries(oddities).flatMap(([name, count]) => (count > 0 ? [`${label}: ${name} ${count}`] : [])),
  ]);
}

/** Milliseconds of CPU below which costs are not told apart. */
const leastCpu = 0.5;

function describe({ services, proxies }: Size): string {
  return `${services} services, ${proxies} proxies`;
}
