/** `weft crd`: the CustomResourceDefinitions of TrafficPolicy and Mesh, made from the schemas of the stanzas. */
import { stringify } from 'yaml';
import type { CommandModule } from 'yargs';
import { printCrds } from '../features/crd.js';
import { printReference } from '../features/reference.js';

interface CrdFlags {
  readonly output: 'yaml' | 'json' | 'markdown';
}

export const crdCommand: CommandModule<object, CrdFlags> = {
  command: 'crd',
  describe: 'Print the CustomResourceDefinitions of TrafficPolicy and Mesh',
  builder: (yargs) =>
    yargs
      .option('output', {
        alias: 'o',
        choices: ['yaml', 'json', 'markdown'] as const,
        default: 'yaml' as const,
        describe: 'markdown prints the reference of all fields',
      })
      .example('weft crd | kubectl apply -f -', 'Install them in a cluster'),
  handler: ({ output }) => {
    process.stdout.write(printers[output]());
  },
};

/** What the command prints, by its `--output`. */
export const printers: Readonly<Record<CrdFlags['output'], () => string>> = {
  yaml: () => toYaml(printCrds()),
  json: () => toJson(printCrds()),
  markdown: printReference,
};

/** One List, since JSON has no documents. */
function toJson(items: readonly object[]): string {
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2)}\n`;
}

/** One document for each; equal parts are written out, since an alias is hard to read. */
function toYaml(items: readonly object[]): string {
  return items.map((item) => stringify(item, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n');
}
