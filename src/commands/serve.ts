/** `weft serve`: wires every edge. A folder of YAML in, ADS and an admin port out. */
import { readFile, stat } from 'node:fs/promises';
import type { CommandModule } from 'yargs';
import { createCompiler } from '../compile/compiler.js';
import { diagnose } from '../compile/diagnose.js';
import { readConfig } from '../config.js';
import { createController } from '../controller.js';
import type { Diagnostic } from '../model/diagnostic.js';
import { startAdmin } from '../observe/admin.js';
import { createLogger, type Logger } from '../observe/log.js';
import { watchProcess } from '../observe/process.js';
import { createRegistry } from '../serve/registry.js';
import { createScheduler } from '../serve/scheduler.js';
import { type ServeTls, startServer } from '../serve/server.js';
import { watchFolder } from '../sources/files.js';
import { createStore } from '../sources/store.js';
import { isLoopback, readHostPort } from './address.js';
import { parsers } from './parsers.js';
import { statusOf } from './status-report.js';

/** What `weft serve` is told. */
interface ServeFlags {
  readonly manifests: string;
  readonly listen: string;
  readonly admin: string;
  readonly 'tls-cert'?: string | undefined;
  readonly 'tls-key'?: string | undefined;
  readonly 'tls-client-ca'?: string | undefined;
  readonly 'mesh-cidr'?: readonly string[] | undefined;
}

export const serveCommand: CommandModule<object, ServeFlags> = {
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
    const server = await serve(flags, logger);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close().then(() => process.exit(0)));
  },
};

/** A running control plane. */
interface Weft {
  readonly port: number;
  readonly adminPort: number;
  readonly close: () => Promise<void>;
}

/** Starts everything; resolves once the folder has been read and proxies are served. */
async function serve(flags: ServeFlags, logger: Logger): Promise<Weft> {
  const listen = readHostPort(flags.listen, '--listen');
  const admin = readHostPort(flags.admin, '--admin');
  const tls = await readTls(flags);
  checkExposure(listen.host, admin.host, tls);
  await checkFolder(flags.manifests);

  const processFigures = watchProcess();
  const store = createStore();
  const compiler = createCompiler(flags['mesh-cidr'] ? { meshCidrs: flags['mesh-cidr'] } : {});
  const onDefect = (name: object, error: unknown) =>
    logger.error({ ...name, error: String(error) }, 'a compiled resource is invalid and is not sent; this is a defect of Weft');
  const controller = createController({ store, compiler, onDefect });
  const registry = createRegistry();
  let diagnostics: readonly Diagnostic[] = [];
  const source = await watchFolder({
    dir: flags.manifests,
    parsers,
    onChange: (changes) => controller.apply(changes),
    onDiagnostics: (all) => {
      logNew(logger, diagnostics, all);
      diagnostics = all;
    },
  });
  await source.ready;
  const world = () => ({ mesh: store.mesh, services: store.services(), policies: store.policies() });
  const figures = () => ({ process: processFigures(), compilations: controller.compilations(), names: controller.snapshot.size() });
  const status = () => statusOf(registry, [...diagnostics, ...diagnose(world(), compiler)], figures());
  const serving = startServer({
    listen: flags.listen,
    tls,
    authenticate: () => undefined,
    context: {
      scopes: controller.scopes,
      registry,
      scheduler: createScheduler(),
      classify: controller.classify,
      clock: Date.now,
      onDefect: (error) => logger.error({ error: String(error) }, 'a stream was ended by a defect of Weft'),
      onRefusal: (node, typeUrl, message) => logger.warn({ proxy: node.id, typeUrl, message }, 'a proxy has rejected a resource'),
    },
  });
  const server = await serving.catch(cannotListen('--listen', flags.listen));
  const adminServer = await startAdmin(admin.host, admin.port, { isReady: () => true, status }).catch(cannotListen('--admin', flags.admin));
  logger.info({ manifests: flags.manifests, xds: `${listen.host}:${server.port}`, admin: `${admin.host}:${adminServer.port}` }, 'serving');
  return {
    port: server.port,
    adminPort: adminServer.port,
    close: async () => {
      await Promise.all([source.close(), adminServer.close(), server.close()]);
    },
  };
}

async function readTls(flags: ServeFlags): Promise<ServeTls | undefined> {
  if (!flags['tls-cert'] || !flags['tls-key']) return undefined;
  const [certificate, key, clientCa] = await Promise.all(
    [flags['tls-cert'], flags['tls-key'], flags['tls-client-ca']].map((file) => file && readFile(file, 'utf8')),
  );
  return { certificate: certificate ?? '', key: key ?? '', clientCa };
}

/** In this mode a proxy is who it says it is, so only this machine, or holders of a certificate, may ask. */
function checkExposure(host: string, adminHost: string, tls: ServeTls | undefined): void {
  if (!isLoopback(host) && !tls?.clientCa) {
    throw new Error(`--listen ${host} can be reached from outside; give --tls-cert, --tls-key and --tls-client-ca, or listen on 127.0.0.1`);
  }
  if (!isLoopback(adminHost)) throw new Error(`--admin ${adminHost} can be reached from outside, and the admin port asks nobody who he is; use 127.0.0.1`);
}

/** A folder that goes away later is waited for; one that is not there to begin with is a slip of the pen. */
async function checkFolder(folder: string): Promise<void> {
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new Error(`--manifests ${folder} is not there, or is no folder; create it, or correct the path`);
}

function cannotListen(flag: string, address: string): (error: Error) => never {
  return ({ message }) => {
    const why = message.includes('EADDRINUSE') ? 'another program listens there' : message;
    throw new Error(`${flag} ${address} cannot be had: ${why}; end that program, or name another port`);
  };
}

function logNew(logger: Logger, before: readonly Diagnostic[], now: readonly Diagnostic[]): void {
  const known = new Set(before.map((diagnostic) => JSON.stringify(diagnostic)));
  for (const diagnostic of now) {
    if (!known.has(JSON.stringify(diagnostic))) logger[diagnostic.severity === 'error' ? 'error' : 'warn'](diagnostic, 'an object is not as it should be');
  }
}
