/** `weft validate`: what a folder holds and what is wrong with it, without serving it. */
import type { CommandModule } from 'yargs';
import { createCompiler } from '../compile/compiler.js';
import { diagnose } from '../compile/diagnose.js';
import { standInForMany } from '../features/stand-in.js';
import type { Diagnostic } from '../model/diagnostic.js';
import { loadFolder } from '../sources/files.js';
import { createStore } from '../sources/store.js';
import { countDiagnostics, formatDiagnostic } from './diagnostics.js';
import { parsers } from './parsers.js';

interface ValidateFlags {
  readonly folder: string;
  readonly output: 'text' | 'json';
}

export const validateCommand: CommandModule<object, ValidateFlags> = {
  command: 'validate <folder>',
  describe: 'Check a folder of YAML; exit code 1 when it has errors',
  builder: (yargs) =>
    yargs
      .positional('folder', { type: 'string', demandOption: true, describe: 'Folder of Kubernetes YAML' })
      .option('output', { alias: 'o', choices: ['text', 'json'] as const, default: 'text' as const, describe: 'For people or for machines' })
      .example('weft validate ./mesh', 'One message for each problem: file, line, field, remedy'),
  handler: async ({ folder, output }) => {
    const { objects, diagnostics } = await validate(folder);
    const hasErrors = diagnostics.some(({ severity }) => severity === 'error');
    if (output === 'json') process.stdout.write(`${JSON.stringify({ objects, diagnostics }, null, 2)}\n`);
    else process.stdout.write(`${diagnostics.map(formatDiagnostic).join('')}${folder}: ${objects} objects, ${countDiagnostics(diagnostics)}\n`);
    process.exitCode = hasErrors ? 1 : 0;
  },
};

/** Every problem of the objects and of what they refer to. Rejects when the folder cannot be read. */
async function validate(folder: string): Promise<{ readonly objects: number; readonly diagnostics: readonly Diagnostic[] }> {
  const { changes, diagnostics, locate } = await loadFolder(folder, parsers);
  const store = createStore({ standIn: (policies) => standInForMany(policies).policy });
  store.apply(changes);
  const world = { mesh: store.mesh, services: store.services(), policies: store.policies(), outOfBudget: store.outOfBudget() };
  return { objects: changes.length, diagnostics: [...diagnostics, ...(await locate(diagnose(world, createCompiler())))] };
}
