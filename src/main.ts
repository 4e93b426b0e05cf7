#!/usr/bin/env node
/** argv -> command. */
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';

/** The injector has to work when the rest is broken, so that nothing else is loaded for it. */
const { addCommands } = await (process.argv[2] === 'injector' ? import('./commands/injector.js') : import('./commands/all.js'));

await addCommands(yargs(hideBin(process.argv)))
  .scriptName('weft')
  .usage('$0 <command>\n\nA service mesh control plane: Kubernetes Services and TrafficPolicies in, configuration of stock Envoys out.')
  .completion('completion', 'Print a script for shell completion: weft completion >> ~/.bashrc')
  .demandCommand(1, 'Name a command; weft --help lists them')
  .recommendCommands()
  .strict()
  .wrap(Math.min(120, process.stdout.columns ?? 120))
  .epilogue('Exit codes: 0 success; 1 what was asked for failed or found errors; 2 the command could not be understood; 3 the answer cannot be known.')
  .fail((message, error, parser) => {
    if (!error) parser.showHelp('error');
    process.stderr.write(error ? `weft: ${error.message}\n` : `\n${message}\n`);
    process.exit(error ? 1 : 2);
  })
  .parseAsync();
