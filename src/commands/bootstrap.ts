/** `weft bootstrap`: the configuration with which a stock Envoy starts; everything else it asks for. */
import { resolve } from 'node:path';
import { stringify } from 'yaml';
import type { CommandModule } from 'yargs';
import type { Bootstrap } from '../envoy/types.js';
import { bootstrap } from '../inject/bootstrap.js';
import { readHostPort } from './address.js';

interface BootstrapFlags {
  readonly node: string;
  readonly xds: string;
  readonly client: 'captured' | 'explicit';
  readonly port: number;
  readonly 'health-port': number;
  readonly 'admin-socket': string;
  readonly 'service-account': string;
  readonly label: readonly string[];
  readonly zone: string;
  readonly output: 'yaml' | 'json';
  readonly 'token-secret'?: string | undefined;
  readonly 'tls-ca'?: string | undefined;
  readonly 'tls-cert'?: string | undefined;
  readonly 'tls-key'?: string | undefined;
  readonly 'tls-server-name'?: string | undefined;
}

export const bootstrapCommand: CommandModule<object, BootstrapFlags> = {
  command: 'bootstrap',
  describe: 'Print the bootstrap of a stock Envoy 1.40 that Weft configures',
  builder: (yargs) =>
    yargs
      .option('node', { type: 'string', demandOption: true, describe: 'namespace/pod that the Envoy works for' })
      .option('xds', { type: 'string', default: '127.0.0.1:15010', describe: 'host:port of weft serve' })
      .option('client', {
        choices: ['captured', 'explicit'] as const,
        default: 'explicit' as const,
        describe: 'explicit: the app calls Envoy as an HTTP proxy; captured: its traffic is redirected',
      })
      .option('port', { type: 'number', default: 15001, describe: 'Where an explicit proxy listens, on 127.0.0.1' })
      .option('health-port', { type: 'number', default: 15021, describe: 'Port of /ready and /stats/prometheus; 0 for none' })
      .option('admin-socket', { type: 'string', default: '/tmp/weft-envoy-admin.sock', describe: "Unix socket of Envoy's own admin interface" })
      .option('service-account', { type: 'string', default: 'default', describe: 'ServiceAccount of the pod' })
      .option('label', { type: 'string', array: true, default: [] as readonly string[], describe: 'Label of the pod, name=value; may be repeated' })
      .option('zone', { type: 'string', default: '', describe: 'Topology zone' })
      .option('tls-ca', { type: 'string', describe: 'PEM file of the authority that the control plane must come from; turns TLS on' })
      .option('tls-cert', { type: 'string', describe: 'PEM file of the certificate to show', implies: ['tls-key', 'tls-ca'] })
      .option('tls-key', { type: 'string', describe: 'PEM file of its key', implies: 'tls-cert' })
      .option('tls-server-name', { type: 'string', describe: "Name in the control plane's certificate (default: the host of --xds)", implies: 'tls-ca' })
      .option('token-secret', { type: 'string', describe: 'SDS file with the generic secret cp-token, to send as a bearer token; read again when it changes' })
      .option('output', { alias: 'o', choices: ['yaml', 'json'] as const, default: 'yaml' as const })
      .example('weft bootstrap --node shop/web-1 > web.yaml; envoy -c web.yaml', 'Then: curl -x http://127.0.0.1:15001 http://reviews.shop/'),
  handler: (flags) => {
    const made = makeBootstrap(flags);
    process.stdout.write(flags.output === 'json' ? `${JSON.stringify(made, null, 2)}\n` : stringify(made, { lineWidth: 0, aliasDuplicateObjects: false }));
  },
};

function makeBootstrap(flags: BootstrapFlags): Bootstrap {
  const { host, port } = readHostPort(flags.xds, '--xds');
  const [namespace, pod, ...rest] = flags.node.split('/');
  if (!namespace || !pod || rest.length > 0) throw new Error(`--node is ${JSON.stringify(flags.node)}; give namespace/pod, such as shop/web-1`);
  return bootstrap({
    proxy: {
      namespace,
      pod,
      serviceAccount: flags['service-account'],
      labels: readLabels(flags.label),
      zone: flags.zone,
      client: flags.client,
      explicitPort: flags.client === 'explicit' ? flags.port : undefined,
    },
    controlPlane: { host, port, tls: readTls(flags, host), tokenSecretFile: absolute(flags['token-secret']) },
    adminSocket: flags['admin-socket'],
    health: flags['health-port'] === 0 ? false : { port: flags['health-port'] },
  });
}

/** Envoy does not take a file to be read again by its name alone. */
function absolute(file: string | undefined): string | undefined {
  return file === undefined ? undefined : resolve(file);
}

function readTls(flags: BootstrapFlags, host: string) {
  if (!flags['tls-ca']) return undefined;
  const client = flags['tls-cert'] && flags['tls-key'] ? { certificateFile: flags['tls-cert'], keyFile: flags['tls-key'] } : undefined;
  return { serverName: flags['tls-server-name'] ?? host, caFile: flags['tls-ca'], ...(client ? { client } : {}) };
}

function readLabels(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name, value, ...rest] = pair.split('=');
      if (!name || value === undefined || rest.length > 0) throw new Error(`--label is ${JSON.stringify(pair)}; give name=value`);
      return [name, value];
    }),
  );
}
