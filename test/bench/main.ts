/** `npm run bench`: measures a server of its own making on this machine. Ends by itself; exit code 1 when a run failed or, with --quick, a ratio is too large. */
import { parseArgs } from 'node:util';
import type { Plan } from './changes.js';
import type { Size } from './plan.js';
import { changeTable, type Machine, machineLine, oddityLine, startTables, thisMachine } from './report.js';
import type { RunFigures } from './run.js';
import { disorders, growthProblems, measureEncoding, measureGrowth, measureMesh, type ScenarioOptions } from './scenarios.js';

const usage = `npm run bench -- [OPTIONS]

  --services N   Services (1000)          --endpoints N  of each Service (5)
  --proxies N    simulated Envoys (500)   --workloads N  that they are replicas of (50)
  --calls N      Services that a workload calls (10)
  --changes N    endpoint changes in a run (40); of the other kinds half as many
  --pause MS     between two changes (300)
  --only LIST    of mesh, growth, encoding, joined by commas (all)
  --quick        100 and 1,000 Services, 100 proxies, under a minute; fails when a change costs more with more Services
  --cpu-prof DIR a CPU profile of each server goes there
  -o json        figures as JSON instead of tables
`;

interface Flags {
  readonly size: Size;
  readonly plan: Plan;
  readonly only: readonly string[];
  readonly quick: boolean;
  readonly json: boolean;
  readonly nodeOptions: readonly string[];
}

/** All figures of `npm run bench`. */
interface Report {
  readonly machine: Machine;
  readonly mesh: readonly RunFigures[];
  readonly growth: readonly RunFigures[];
  readonly encoding: readonly RunFigures[];
  readonly problems: readonly string[];
}

/** No bench takes longer; something hangs. */
const limitMs = 20 * 60_000;

const machine = thisMachine();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => fail(`ended by ${signal}`));
const limit = setTimeout(() => fail(`not finished after ${limitMs / 60_000} minutes`), limitMs);
try {
  const flags = readFlags();
  const report = flags.quick ? await quick(flags) : await full(flags);
  process.stdout.write(flags.json ? `${JSON.stringify(report, null, 2)}\n` : tables(report));
  for (const problem of report.problems) process.stderr.write(`bench: ${problem}\n`);
  if (report.problems.length > 0) process.exitCode = 1;
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
} finally {
  clearTimeout(limit);
}

function fail(message: string): never {
  process.stderr.write(`bench: ${message}\n`);
  process.exit(1);
}

function readFlags(): Flags {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const { values } = parseArgs({
    options: {
      ...{ services: text('1000'), endpoints: text('5'), proxies: text('500'), workloads: text('50'), calls: text('10') },
      ...{ changes: text('40'), pause: text('300'), only: text('mesh,growth,encoding'), output: { ...text('tables'), short: 'o' }, 'cpu-prof': text('') },
      ...{ quick: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    process.exit(0);
  }
  const number = (name: 'services' | 'endpoints' | 'proxies' | 'workloads' | 'calls' | 'changes' | 'pause') => positive(name, values[name]);
  const size: Size = {
    ...{ services: number('services'), endpoints: number('endpoints'), proxies: number('proxies'), workloads: number('workloads'), calls: number('calls') },
    pattern: 'random',
  };
  const changes = number('changes');
  const half = Math.ceil(changes / 2);
  const plan = { endpoints: changes, uncalled: half, policies: half, services: half, pauseMs: number('pause') };
  const nodeOptions = values['cpu-prof'] ? ['--cpu-prof', `--cpu-prof-dir=${values['cpu-prof']}`] : [];
  return { size, plan, only: values.only.split(','), quick: values.quick, json: values.output === 'json', nodeOptions };
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} is ${JSON.stringify(text)}; give a whole number above 0`);
  return number;
}

function scenarioOf({ size, plan, nodeOptions }: Flags): ScenarioOptions {
  return { size, plan, nodeOptions, progress: (line) => process.stderr.write(`> ${line}\n`) };
}

async function full(flags: Flags): Promise<Report> {
  const options = scenarioOf(flags);
  const wants = (name: string) => flags.only.includes(name);
  const shorter = { ...options, plan: { ...flags.plan, endpoints: flags.plan.services } };
  const mesh = wants('mesh') ? await measureMesh(options) : [];
  const growth = wants('growth')
    ? await measureGrowth(shorter, [
        [100, 100],
        [1000, 100],
        [5000, 100],
        [1000, 500],
      ])
    : [];
  const encoding = wants('encoding') ? await measureEncoding(shorter) : [];
  return { machine, mesh, growth, encoding, problems: [...disorders([...mesh, ...encoding]), ...growthProblems(growth)] };
}

async function quick(flags: Flags): Promise<Report> {
  const plan: Plan = { endpoints: 20, uncalled: 10, policies: 10, services: 10, pauseMs: 200 };
  const growth = await measureGrowth({ ...scenarioOf(flags), plan }, [
    [100, 100],
    [1000, 100],
  ]);
  return { machine, mesh: [], growth, encoding: [], problems: growthProblems(growth) };
}

function tables({ machine, mesh, growth, encoding }: Report): string {
  const sections = [
    machineLine(machine),
    ...(mesh.length > 0 ? [startTables(mesh), changeTable('Changes', mesh)] : []),
    ...(growth.length > 0 ? [startTables(growth), changeTable('Growth: the mesh around the same dependents', growth)] : []),
    ...(encoding.length > 0 ? [startTables(encoding), changeTable('Encoding: every change goes to every proxy', encoding)] : []),
    oddityLine([...mesh, ...growth, ...encoding]),
  ];
  return sections.join('\n');
}
