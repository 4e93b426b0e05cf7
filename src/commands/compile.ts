/** `weft compile`: what Envoy would be sent, from a folder, without any Envoy. */
import { stringify } from 'yaml';
import type { CommandModule } from 'yargs';
import { createCompiler } from '../compile/compiler.js';
import type { Audience } from '../compile/contract.js';
import { diagnose } from '../compile/diagnose.js';
import { type Rendered, renderAll } from '../compile/render.js';
import { standInForMany } from '../features/stand-in.js';
import { workloadKey } from '../identity/node.js';
import { formatRef } from '../model/name.js';
import type { Pod } from '../model/workload.js';
import { loadFolder } from '../sources/files.js';
import { createStore } from '../sources/store.js';
import { audienceOf } from './audience.js';
import { countDiagnostics, formatDiagnostic } from './diagnostics.js';
import { parsers } from './parsers.js';
import { formatTable } from './table.js';

interface CompileFlags {
  readonly folder: string;
  readonly output: 'yaml' | 'json' | 'summary';
  readonly client: Audience['client'];
  readonly workload?: string | undefined;
}

export const compileCommand: CommandModule<object, CompileFlags> = {
  command: 'compile <folder>',
  describe: 'Print the Envoy resources that each workload of a folder may be sent',
  builder: (yargs) =>
    yargs
      .positional('folder', { type: 'string', demandOption: true, describe: 'Folder of Kubernetes YAML' })
      .option('output', {
        alias: 'o',
        choices: ['yaml', 'json', 'summary'] as const,
        default: 'yaml' as const,
        describe: 'summary is a table of names and causes',
      })
      .option('client', { choices: ['captured', 'explicit', 'grpc'] as const, default: 'captured' as const, describe: 'How the app reaches its Envoy' })
      .option('workload', { type: 'string', describe: 'Only the workload of this Pod: namespace/pod' })
      .example('weft compile ./mesh -o summary', 'Which resources there are, and which object made each'),
  handler: async ({ folder, output, client, workload }) => {
    const { changes, diagnostics, locate } = await loadFolder(folder, parsers);
    const store = createStore({ standIn: (policies) => standInForMany(policies).policy });
    store.apply(changes);
    const pods = changes.flatMap((change) => (change.kind === 'Pod' && change.object ? [change.object] : []));
    const world = { mesh: store.mesh, services: store.services(), policies: store.policies(), outOfBudget: store.outOfBudget() };
    const chosen = workload ? pods.filter(({ key }) => key === workload) : pods;
    if (workload && chosen.length === 0) throw new Error(`there is no Pod ${workload} in ${folder}`);
    const compiler = createCompiler({});
    const workloads = representatives(chosen, client).map((pod) => {
      return { workload: pod?.key ?? 'default', ...renderAll(store.mesh, compiler, audienceOf(store.mesh, pod, client), world.services) };
    });
    process.stdout.write(format(workloads, output));
    const problems = [...diagnostics, ...(await locate(diagnose(world, compiler)))];
    if (problems.length > 0) process.stderr.write(`${problems.map(formatDiagnostic).join('')}${countDiagnostics(problems)}\n`);
    process.exitCode = problems.some(({ severity }) => severity === 'error') ? 1 : 0;
  },
};

interface WorkloadResources extends Rendered {
  readonly workload: string;
}

/** One Pod of each workload; without Pods, one that stands for any client in the namespace `default`. */
function representatives(pods: readonly Pod[], client: Audience['client']): readonly (Pod | undefined)[] {
  const first = new Map<string, Pod>();
  for (const pod of pods) {
    const key = workloadKey({ ...pod, client });
    if (!first.has(key)) first.set(key, pod);
  }
  return first.size > 0 ? [...first.values()] : [undefined];
}

function format(workloads: readonly WorkloadResources[], output: CompileFlags['output']): string {
  if (output === 'summary') {
    const rows = workloads.flatMap(({ workload, resources }) => resources.map(({ type, name, provenance }) => [workload, type, name, causes(provenance)]));
    return formatTable(['workload', 'type', 'name', 'because of'], rows);
  }
  const documents = workloads.map(({ workload, resources }) => ({
    workload,
    resources: resources.map(({ type, name, message }) => ({ type, name, message })),
  }));
  if (output === 'json') return `${JSON.stringify(documents, null, 2)}\n`;
  return documents.map((document) => `---\n${stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })}`).join('');
}

/** Each object once, with the stanzas of it that had a part in the resource. */
function causes(provenance: Rendered['resources'][number]['provenance']): string {
  const stanzas = new Map<string, Set<string>>();
  for (const { object, field } of provenance) {
    const name = formatRef(object);
    const stanza = /^spec\.[^.]+/.exec(field)?.[0];
    stanzas.set(name, stanza ? (stanzas.get(name) ?? new Set()).add(stanza) : (stanzas.get(name) ?? new Set()));
  }
  return [...stanzas].map(([name, fields]) => (fields.size > 0 ? `${name} (${[...fields].join(', ')})` : name)).join('; ');
}
