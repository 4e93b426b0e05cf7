/** `weft serve`: the control plane, over a folder of YAML or a Kubernetes cluster. */
import { hostname } from 'node:os';
import type { Argv, CommandModule } from 'yargs';
import { readConfig } from '../config.js';
import { createLogger, type Logger } from '../observe/log.js';
import { clusterOptions } from './cluster.js';
import { readLifetime } from './serve/certificates.js';
import { serveCluster } from './serve/cluster.js';
import { type FolderFlags, serveFolder } from './serve/folder.js';
import type { ServeClusterFlags } from './serve/frame.js';

/** What both modes are told. */
interface ServeFlags extends Omit<FolderFlags, 'manifests'>, ServeClusterFlags {
  readonly manifests?: string | undefined;
  readonly kubernetes: boolean;
}

export const serveCommand: CommandModule<object, ServeFlags> = {
  command: 'serve',
  describe: 'Serve the Services and TrafficPolicies of a folder, or of a Kubernetes cluster, to Envoys over ADS',
  builder: (yargs) =>
    inCluster(inFolder(yargs))
      .option('listen', {
        type: 'string',
        default: '127.0.0.1:15010',
        describe: 'host:port for ADS; beyond loopback, a folder needs TLS with client certificates',
      })
      .option('admin', { type: 'string', default: '127.0.0.1:15014', describe: 'host:port for /healthz, /readyz, /status and /ports, on loopback' })
      .option('mesh-cidr', { type: 'string', array: true, describe: 'Address ranges of Services and Pods (default: the private ranges)' })
      .check(({ manifests, kubernetes }) => {
        if ((manifests === undefined) === !kubernetes) throw new Error('Say what to serve: --manifests FOLDER, or --kubernetes');
        return true;
      })
      .example('weft serve --manifests ./mesh', 'Serve ./mesh on 127.0.0.1:15010; then: weft bootstrap --node shop/web-1 | envoy -c /dev/stdin')
      .example('weft serve --kubernetes', 'What the chart runs in the cluster'),
  handler: async (flags) => {
    const logger = createLogger(readConfig().logLevel, process.stderr.isTTY);
    // Until it serves there is nothing to finish.
    let end = () => Promise.resolve();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end().then(() => process.exit(0)));
    end = await start(flags, logger);
  },
};

function start(flags: ServeFlags, logger: Logger): Promise<() => Promise<void>> {
  const { manifests } = flags;
  return manifests === undefined ? serveCluster(flags, logger) : serveFolder({ ...flags, manifests }, logger);
}

function inFolder<T>(yargs: Argv<T>) {
  return yargs
    .option('manifests', { type: 'string', describe: 'Folder of Kubernetes YAML; sub-folders count, changes take effect at once' })
    .option('tls-cert', { type: 'string', describe: 'With --manifests: PEM file with the server certificate and its chain', implies: 'tls-key' })
    .option('tls-key', { type: 'string', describe: 'PEM file with the key of that certificate', implies: 'tls-cert' })
    .option('tls-client-ca', { type: 'string', describe: 'PEM file with the authority that client certificates must come from', implies: 'tls-cert' })
    .option('certificate-lifetime', {
      type: 'string',
      default: '24h',
      coerce: readLifetime,
      describe: 'How long a certificate of a workload is good; it is renewed at about half of that',
    })
    .option('ca', { type: 'string', describe: 'With --manifests: folder with ca.crt and ca.key, made if need be; turns identities and mutual TLS on' })
    .option('tokens', { type: 'string', describe: 'With --manifests: file with a line TOKEN NAMESPACE/SERVICEACCOUNT for each caller; others are refused' });
}

function inCluster<T>(yargs: Argv<T>) {
  return clusterOptions(yargs)
    .option('kubernetes', { type: 'boolean', default: false, describe: 'Serve a cluster: each caller proves by its token which pod it is' })
    .option('webhook', { type: 'string', default: '0.0.0.0:15017', describe: 'With --kubernetes: host:port that the API server calls, over TLS' })
    .option('metrics', { type: 'string', default: '0.0.0.0:15020', describe: 'With --kubernetes: host:port of /healthz, /readyz and /metrics' })
    .option('pod-name', { type: 'string', default: hostname(), describe: 'With --kubernetes: the name of this replica, by which it holds the Lease' })
    .option('token-file', { type: 'string', default: '/var/run/weft/token', describe: 'With --kubernetes: the token by which this replica asks the others' })
    .option('cluster-domain', { type: 'string', default: 'cluster.local', describe: 'With --kubernetes: the domain of the cluster’s DNS' })
    .option('ipv6', { type: 'boolean', default: true, describe: 'With --kubernetes: off for nodes whose kernel has no IPv6' });
}
