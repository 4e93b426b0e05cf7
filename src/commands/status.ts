/** `weft status`: which proxies are connected, what they run, and what they have rejected. */
import type { Argv, CommandModule } from 'yargs';
import { isTroubled, mergeStatuses } from './status-cluster.js';
import { fetchStatus } from './status-fetch.js';
import { statusPortsCommand } from './status-ports.js';
import { askReplicas, reachCluster } from './status-replicas.js';
import type { Status } from './status-report.js';
import { formatCluster, formatStatus } from './status-tables.js';
import { type TargetFlags, targetOptions, withTarget } from './status-target.js';

interface StatusFlags extends TargetFlags {
  readonly namespace?: string | undefined;
  readonly output: 'text' | 'json';
}

export const statusCommand: CommandModule<object, StatusFlags> = {
  command: 'status',
  describe: 'Show which proxies are connected, in sync, or reject something; exit code 1 when any does',
  builder: (yargs: Argv<object>) =>
    targetOptions(yargs.command(statusPortsCommand))
      .option('namespace', { alias: 'n', type: 'string', global: false, describe: 'Where Weft runs in the cluster (default: weft-system)' })
      .option('output', { alias: 'o', choices: ['text', 'json'] as const, default: 'text' as const, global: false, describe: 'For people or for machines' })
      .example('weft status', 'Tables of proxies, policies, rejections and problems: of weft serve on this machine, else of the cluster of your kubeconfig')
      .example('weft status --context prod', 'Of all replicas in that cluster'),
  handler: async (flags) => {
    const { text, json, isWrong } = await withTarget(flags, flags.namespace, showLocal, showCluster);
    process.stdout.write(flags.output === 'json' ? `${JSON.stringify(json, null, 2)}\n` : text);
    process.exitCode = isWrong ? 1 : 0;
  },
};

/** What is printed, and whether something is wrong. */
interface Shown {
  readonly text: string;
  readonly json: object;
  readonly isWrong: boolean;
}

async function showLocal(admin: string): Promise<Shown> {
  const status = await fetchStatus(admin);
  return { text: formatStatus(status), json: status, isWrong: hasErrors(status) };
}

function hasErrors({ rejections, diagnostics }: Status): boolean {
  return rejections.length > 0 || diagnostics.some(({ severity }) => severity === 'error');
}

async function showCluster(place: Parameters<typeof reachCluster>[0]): Promise<Shown> {
  const status = mergeStatuses(await askReplicas(reachCluster(place), fetchStatus));
  return { text: formatCluster(status), json: status, isWrong: isTroubled(status) };
}
