/** `weft serve --manifests`: a folder of YAML in, ADS and an admin port out. */
import { readFile, stat } from 'node:fs/promises';
import { startAdmin } from '../../observe/admin.js';
import type { Logger } from '../../observe/log.js';
import { fixedCertificate } from '../../serve/certificate.js';
import { type ServeTls, startServer } from '../../serve/server.js';
import { type FolderWatch, watchFolder } from '../../sources/files.js';
import { isLoopback, readHostPort } from '../address.js';
import { formatDiagnostic } from '../diagnostics.js';
import { parsers } from '../parsers.js';
import { createCore } from './core.js';
import { openDoor, openIdentities } from './door.js';
import { identitySide } from './identity-side.js';
import { cannotListen } from './listening.js';
import { adsContext, logRefusals } from './xds.js';

/** What the mode is told. */
export interface FolderFlags {
  readonly manifests: string;
  readonly listen: string;
  readonly admin: string;
  readonly 'tls-cert'?: string | undefined;
  readonly 'tls-key'?: string | undefined;
  readonly 'tls-client-ca'?: string | undefined;
  readonly ca?: string | undefined;
  readonly tokens?: string | undefined;
  /** In milliseconds. */
  readonly 'certificate-lifetime': number;
  readonly 'mesh-cidr'?: readonly string[] | undefined;
}

/** Starts everything; resolves, once the folder has been read and proxies are served, to what ends it again. */
export async function serveFolder(flags: FolderFlags, logger: Logger): Promise<() => Promise<void>> {
  const listen = readHostPort(flags.listen, '--listen');
  const admin = readHostPort(flags.admin, '--admin');
  const tls = await readTls(flags);
  checkExposure(listen.host, admin.host, tls);
  checkIdentities(listen.host, flags);
  await checkFolder(flags.manifests);

  const core = createCore({ mtls: flags.ca !== undefined, ...(flags['mesh-cidr'] ? { meshCidrs: flags['mesh-cidr'] } : {}) }, logger);
  const { controller } = core;
  const identities = flags.ca === undefined ? undefined : await openIdentities(flags.ca, core, flags['certificate-lifetime']);
  const source = await watchFolder({ dir: flags.manifests, parsers, onChange: (changes) => controller.apply(changes), onDiagnostics: core.report });
  await source.ready;
  await checkVital(source);
  const door = await openDoor(flags.tokens, core, identities?.secrets);
  const serving = startServer({
    listen: flags.listen,
    tls,
    authenticate: door.authenticate,
    context: { ...adsContext(core, identities?.secrets), classify: door.classify },
    onRefused: logRefusals(core),
  });
  const server = await serving.catch(cannotListen('--listen', flags.listen));
  door.follow(server);
  const status = () => ({ ...core.status(), ...(identities ? { identities: identitySide({ ...core, ...identities, clock: Date.now }) } : {}) });
  const adminServer = await startAdmin(admin.host, admin.port, { isReady: () => true, status, ports: core.ports }).catch(cannotListen('--admin', flags.admin));
  logger.info({ manifests: flags.manifests, xds: `${listen.host}:${server.port}`, admin: `${admin.host}:${adminServer.port}` }, 'serving');
  return async () => {
    door.close();
    identities?.close();
    await Promise.all([source.close(), adminServer.close(), server.close()]);
  };
}

async function readTls(flags: FolderFlags): Promise<ServeTls | undefined> {
  if (!flags['tls-cert'] || !flags['tls-key']) return undefined;
  const [certificate, key, clientCa] = await Promise.all(
    [flags['tls-cert'], flags['tls-key'], flags['tls-client-ca']].map((file) => file && readFile(file, 'utf8')),
  );
  return { certificate: fixedCertificate({ certificate: certificate ?? '', key: key ?? '' }), clientCa };
}

/** In this mode a proxy is who it says it is, so only this machine, or holders of a certificate, may ask. */
function checkExposure(host: string, adminHost: string, tls: ServeTls | undefined): void {
  if (!isLoopback(host) && !tls?.clientCa) {
    throw new Error(`--listen ${host} can be reached from outside; give --tls-cert, --tls-key and --tls-client-ca, or listen on 127.0.0.1`);
  }
  if (!isLoopback(adminHost)) throw new Error(`--admin ${adminHost} can be reached from outside, and the admin port asks nobody who he is; use 127.0.0.1`);
}

/** A certificate is given to whoever proves that it is his; on this machine alone a proxy is believed. */
function checkIdentities(host: string, { ca, tokens }: FolderFlags): void {
  if (ca !== undefined && tokens === undefined && !isLoopback(host)) {
    throw new Error(`--ca with --listen ${host} would give the certificate of any workload to whoever asks; give --tokens, or listen on 127.0.0.1`);
  }
}

/** Without the settings of the mesh nobody knows what is open and what is closed, so nobody is served. Later, those that were read last stay. */
async function checkVital(source: FolderWatch): Promise<void> {
  const found = source.vital();
  if (found.length === 0) return;
  await source.close();
  throw new Error(
    `the Mesh cannot be read, and nothing is served without it; correct it, or remove it for the defaults\n${found.map(formatDiagnostic).join('')}`,
  );
}

/** A folder that goes away later is waited for; one that is not there to begin with is a slip of the pen. */
async function checkFolder(folder: string): Promise<void> {
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new Error(`--manifests ${folder} is not there, or is no folder; create it, or correct the path`);
}
