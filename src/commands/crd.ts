/** `weft crd`: the CustomResourceDefinition of TrafficPolicy, made from the schemas of the stanzas. */
import { stringify } from 'yaml';
import type { CommandModule } from 'yargs';
import { printCrd } from '../features/crd.js';
import { printReference } from '../features/reference.js';

interface CrdFlags {
  readonly output: 'yaml' | 'json' | 'markdown';
}

export const crdCommand: CommandModule<object, CrdFlags> = {
  command: 'crd',
  describe: 'Print the CustomResourceDefinition of TrafficPolicy',
  builder: (yargs) =>
    yargs
      .option('output', {
        alias: 'o',
        choices: ['yaml', 'json', 'markdown'] as const,
        default: 'yaml' as const,
        describe: 'markdown prints the reference of all fields',
      })
      .example('weft crd | kubectl apply -f -', 'Install it in a cluster'),
  handler: ({ output }) => {
    if (output === 'markdown') process.stdout.write(printReference());
    else
      process.stdout.write(
        output === 'json' ? `${JSON.stringify(printCrd(), null, 2)}\n` : stringify(printCrd(), { lineWidth: 0, aliasDuplicateObjects: false }),
      );
  },
};
