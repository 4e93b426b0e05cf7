/** `weft inject`: does offline, to manifests, what the webhook does to pods. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { CommandModule } from 'yargs';
import { printManifests, readManifests } from './inject/documents.js';
import { injectAll } from './inject/inject-all.js';
import { type InjectFlags, injectOptions, readSettings } from './injector/settings.js';

interface OfflineFlags extends InjectFlags {
  readonly filename: string;
  readonly output: 'yaml' | 'json';
}

export const injectCommand: CommandModule<object, OfflineFlags> = {
  command: 'inject',
  describe: 'Print manifests with the sidecar in their pods; exit code 1 when a pod cannot have one',
  builder: (yargs) =>
    injectOptions(yargs)
      .option('filename', { alias: 'f', type: 'string', demandOption: true, describe: 'File of Kubernetes YAML or JSON; - for what is piped in' })
      .option('namespace', { alias: 'n', type: 'string', default: 'weft-system', describe: 'Where Weft runs' })
      .option('output', { alias: 'o', choices: ['yaml', 'json'] as const, default: 'yaml' as const, describe: 'json prints several documents as one List' })
      .example('weft inject -f web.yaml | kubectl apply -f -', 'Without the webhook; the namespace still needs the ConfigMap weft-ca, which Weft puts there'),
  handler: async (flags) => {
    const documents = readManifests(await read(flags.filename), flags.filename);
    const { documents: injected, notes, problems } = injectAll(documents, readSettings(flags), () => randomBytes(16).toString('hex'));
    for (const note of [...notes, ...problems]) process.stderr.write(`weft: ${note}\n`);
    if (problems.length > 0) process.exitCode = 1;
    else process.stdout.write(printManifests(injected, flags.output));
  },
};

function read(filename: string): Promise<string> {
  if (filename === '-') return text(process.stdin);
  return readFile(filename, 'utf8').catch((error: Error) => {
    throw new Error(`--filename ${filename} cannot be read (${error.message}); correct the path, or give - for what is piped in`);
  });
}
