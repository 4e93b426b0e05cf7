/** `weft install` and `weft uninstall`: the chart in one word. */
import type { Argv, CommandModule } from 'yargs';
import { clusterOptions } from './cluster.js';
import { findChart, type InstallFlags, installArguments, type ReleaseFlags, runHelm, uninstallArguments } from './helm.js';

export const installCommand: CommandModule<object, InstallFlags> = {
  command: 'install',
  describe: 'Install Weft in a cluster, or upgrade it, by its Helm chart',
  builder: (yargs) =>
    releaseOptions(yargs)
      .option('set', { type: 'string', array: true, describe: 'A value of the chart, as in helm: --set controller.replicas=3' })
      .option('values', { alias: 'f', type: 'string', array: true, describe: 'A file with values of the chart' })
      .option('chart', { type: 'string', describe: 'Folder of another chart than the one that comes with this program' })
      .option('print', { alias: 'dry-run', type: 'boolean', default: false, describe: 'Print what the chart renders, and change nothing' })
      .example('weft install', 'Install into weft-system of the current cluster, and wait until it is ready')
      .example('weft install --print | kubectl diff -f -', 'Show what an upgrade would change'),
  handler: async (flags) => {
    process.exitCode = await runHelm(installArguments(flags, findChart(flags.chart)));
  },
};

export const uninstallCommand: CommandModule<object, ReleaseFlags> = {
  command: 'uninstall',
  describe: 'Remove Weft, its policies included, from a cluster; restart the meshed workloads before',
  builder: (yargs) => releaseOptions(yargs).example('weft uninstall', 'Remove what weft install installed'),
  handler: async (flags) => {
    process.exitCode = await runHelm(uninstallArguments(flags));
  },
};

function releaseOptions<T>(yargs: Argv<T>): Argv<T & ReleaseFlags> {
  return clusterOptions(yargs)
    .option('release', { type: 'string', default: 'weft', describe: 'Name of the Helm release' })
    .option('timeout', { type: 'string', default: '5m', describe: 'How long to wait for it to be ready, or gone' });
}
