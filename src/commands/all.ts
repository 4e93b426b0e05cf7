/** Every command of `weft`, in the order of its help. */
import type { Argv } from 'yargs';
import { bootstrapCommand } from './bootstrap.js';
import { caCommand } from './ca.js';
import { checkCommand } from './check.js';
import { compileCommand } from './compile.js';
import { crdCommand } from './crd.js';
import { demoCommand } from './demo.js';
import { injectCommand } from './inject.js';
import { injectorCommand } from './injector.js';
import { installCommand, uninstallCommand } from './install.js';
import { serveCommand } from './serve.js';
import { statusCommand } from './status.js';
import { validateCommand } from './validate.js';

/** Adds all of them. */
export function addCommands(yargs: Argv): Argv {
  return yargs
    .command(installCommand)
    .command(checkCommand)
    .command(uninstallCommand)
    .command(injectCommand)
    .command(serveCommand)
    .command(injectorCommand)
    .command(validateCommand)
    .command(compileCommand)
    .command(bootstrapCommand)
    .command(statusCommand)
    .command(caCommand)
    .command(crdCommand)
    .command(demoCommand);
}
