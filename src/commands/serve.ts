/** `weft serve`: the control plane, over a folder of YAML or a Kubernetes cluster. */
import type { CommandModule } from 'yargs';
import { readConfig } from '../config.js';
import { createLogger } from '../observe/log.js';
import { type FolderFlags, serveFolder } from './serve/folder.js';

export const serveCommand: CommandModule<object, FolderFlags> = {
  command: 'serve',
  describe: 'Serve the Services and TrafficPolicies of a folder to Envoys over ADS',
  builder: (yargs) =>
    yargs
      .option('manifests', { type: 'string', demandOption: true, describe: 'Folder of Kubernetes YAML; sub-folders count, changes take effect at once' })
      .option('listen', { type: 'string', default: '127.0.0.1:15010', describe: 'host:port for ADS; beyond loopback it needs TLS with client certificates' })
      .option('admin', { type: 'string', default: '127.0.0.1:15014', describe: 'host:port for /healthz, /readyz and /status, on loopback' })
      .option('tls-cert', { type: 'string', describe: 'PEM file with the server certificate and its chain', implies: 'tls-key' })
      .option('tls-key', { type: 'string', describe: 'PEM file with the key of that certificate', implies: 'tls-cert' })
      .option('tls-client-ca', { type: 'string', describe: 'PEM file with the authority that client certificates must come from', implies: 'tls-cert' })
      .option('mesh-cidr', { type: 'string', array: true, describe: 'Address ranges of Services and Pods (default: the private ranges)' })
      .example('weft serve --manifests ./mesh', 'Serve ./mesh on 127.0.0.1:15010; then: weft bootstrap --node shop/web-1 | envoy -c /dev/stdin'),
  handler: async (flags) => {
    const logger = createLogger(readConfig().logLevel, process.stderr.isTTY);
    const close = await serveFolder(flags, logger);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void close().then(() => process.exit(0)));
  },
};
