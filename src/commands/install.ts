/** `weft install` and `weft uninstall`: the chart in one word. */
import type { Argv, CommandModule } from 'yargs';
import { clusterOptions } from './cluster.js';
import { findChart, type InstallFlags, installArguments, type ReleaseFlags, releaseOf, runHelm, uninstallArguments } from './helm.js';
import { printManifests, readManifests } from './inject/documents.js';

export const installCommand: CommandModule<object, InstallFlags> = {
  command: 'install',
  describe: 'Install Weft in a cluster, or upgrade it, by its Helm chart',
  builder: (yargs) =>
    releaseOptions(yargs)
      .option('set', { type: 'string', array: true, describe: 'A value of the chart, as in helm: --set controller.replicas=3' })
      .option('values', { alias: 'f', type: 'string', array: true, describe: 'A file with values of the chart' })
      .option('chart', { type: 'string', describe: 'Folder of another chart than the one that comes with this program' })
      .option('print', { alias: 'dry-run', type: 'boolean', default: false, describe: 'Print what the chart renders, and change nothing' })
      .option('output', { alias: 'o', choices: ['text', 'json'] as const, default: 'text' as const, describe: 'For people or for machines' })
      .example('weft install', 'Install into weft-system of the current cluster, and wait until it is ready')
      .example('weft install --print | kubectl diff -f -', 'Show what an upgrade would change'),
  handler: async (flags) => {
    const { code, text } = await runHelm(installArguments(flags, findChart(flags.chart)), { capture: flags.output === 'json' });
    process.exitCode = code;
    if (flags.output === 'json' && code === 0) process.stdout.write(flags.print ? asList(text) : `${JSON.stringify(releaseOf(text), null, 2)}\n`);
  },
};

export const uninstallCommand: CommandModule<object, ReleaseFlags> = {
  command: 'uninstall',
  describe: 'Remove Weft, its policies included, from a cluster; restart the meshed workloads before',
  builder: (yargs) => releaseOptions(yargs).example('weft uninstall', 'Remove what weft install installed'),
  handler: async (flags) => {
    process.exitCode = (await runHelm(uninstallArguments(flags))).code;
  },
};

function asList(manifests: string): string {
  return printManifests(readManifests(manifests, 'what helm prints'), 'json');
}

function releaseOptions<T>(yargs: Argv<T>): Argv<T & ReleaseFlags> {
  return clusterOptions(yargs)
    .option('release', { type: 'string', default: 'weft', describe: 'Name of the Helm release' })
    .option('timeout', { type: 'string', default: '5m', describe: 'How long to wait for it to be ready, or gone' });
}
