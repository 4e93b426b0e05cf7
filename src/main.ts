#!/usr/bin/env node
/** argv -> command. */
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { bootstrapCommand } from './commands/bootstrap.js';
import { compileCommand } from './commands/compile.js';
import { crdCommand } from './commands/crd.js';
import { demoCommand } from './commands/demo.js';
import { serveCommand } from './commands/serve.js';
import { statusCommand } from './commands/status.js';
import { validateCommand } from './commands/validate.js';

await yargs(hideBin(process.argv))
  .scriptName('weft')
  .usage('$0 <command>\n\nA service mesh control plane: Kubernetes Services and TrafficPolicies in, configuration of stock Envoys out.')
  .command(serveCommand)
  .command(validateCommand)
  .command(compileCommand)
  .command(bootstrapCommand)
  .command(statusCommand)
  .command(crdCommand)
  .command(demoCommand)
  .completion('completion', 'Print a script for shell completion: weft completion >> ~/.bashrc')
  .demandCommand(1, 'Name a command; weft --help lists them')
  .recommendCommands()
  .strict()
  .wrap(Math.min(120, process.stdout.columns ?? 120))
  .epilogue('Exit codes: 0 success; 1 what was asked for failed or found errors; 2 the command could not be understood.')
  .fail((message, error, parser) => {
    if (!error) parser.showHelp('error');
    process.stderr.write(error ? `weft: ${error.message}\n` : `\n${message}\n`);
    process.exit(error ? 1 : 2);
  })
  .parseAsync();
