/** `weft injector`: the webhook that puts a sidecar into each pod that asks for one. Nothing that it imports compiles policies: it works when that is broken. */
import type { Argv, CommandModule } from 'yargs';
import { readConfig } from '../config.js';
import { createLogger } from '../observe/log.js';
import { type ClusterFlags, clusterOptions, connectTo } from './cluster.js';
import { startInjector } from './injector/run.js';
import { type InjectFlags, injectOptions, readSettings } from './injector/settings.js';

interface InjectorFlags extends ClusterFlags, InjectFlags {
  readonly namespace: string;
  readonly webhook: string;
  readonly metrics: string;
}

export const injectorCommand: CommandModule<object, InjectorFlags> = {
  command: 'injector',
  describe: 'Put sidecars into the pods of a cluster as they are created (runs in the cluster)',
  builder: (yargs) =>
    injectOptions(clusterOptions(yargs))
      .option('webhook', { type: 'string', default: '0.0.0.0:15017', describe: 'host:port that the API server calls, over TLS' })
      .option('metrics', { type: 'string', default: '0.0.0.0:15020', describe: 'host:port of /healthz, /readyz and /metrics' }),
  handler: async (flags) => {
    const logger = createLogger(readConfig().logLevel, process.stderr.isTTY);
    const { namespace, webhook, metrics } = flags;
    const names = [`weft-injector.${namespace}.svc`];
    const starting = startInjector({ client: connectTo(flags), namespace, webhook, metrics, names, settings: readSettings(flags), logger });
    // Until it answers there is nothing to finish.
    let end = () => Promise.resolve();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end().then(() => process.exit(0)));
    end = (await starting).close;
  },
};

/** Adds this command alone. */
export function addCommands(yargs: Argv): Argv {
  return yargs.command(injectorCommand);
}
