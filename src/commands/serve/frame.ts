/** What the parts of `weft serve --kubernetes` share: its flags, the core and the way to the API server. */
import type { KubeClient } from '../../kubernetes/api.js';
import type { Instruments } from '../../observe/instruments.js';
import type { Logger } from '../../observe/log.js';
import { type HostPort, isLoopback, readHostPort } from '../address.js';
import { type ClusterFlags, connectTo } from '../cluster.js';
import { type Core, createCore } from './core.js';

/** What the mode is told. */
export interface ServeClusterFlags extends ClusterFlags {
  readonly listen: string;
  readonly admin: string;
  readonly webhook: string;
  readonly metrics: string;
  readonly 'pod-name': string;
  readonly 'token-file': string;
  readonly 'cluster-domain': string;
  readonly ipv6: boolean;
  /** In milliseconds. */
  readonly 'certificate-lifetime': number;
  readonly 'mesh-cidr'?: readonly string[] | undefined;
}

/** The chart's name of the Service, the ServiceAccount, the Lease and the ValidatingWebhookConfiguration. */
export const controllerName = 'weft-controller';

/** What the parts share. */
export interface Frame {
  readonly flags: ServeClusterFlags;
  readonly ports: { readonly admin: HostPort; readonly webhook: HostPort; readonly metrics: HostPort };
  /** The name by which proxies and the API server call the controller. */
  readonly serverName: string;
  readonly logger: Logger;
  readonly client: KubeClient;
  readonly core: Core;
  readonly instruments: Instruments;
  /** Counts and logs the failure of a task, which will be tried again. */
  readonly failed: (task: string) => (error: unknown) => undefined;
}

/** Opens them. Throws on a flag that does not do. */
export function frameOf(flags: ServeClusterFlags, logger: Logger, instruments: Instruments): Frame {
  const ports = {
    admin: readHostPort(flags.admin, '--admin'),
    webhook: readHostPort(flags.webhook, '--webhook'),
    metrics: readHostPort(flags.metrics, '--metrics'),
  };
  readHostPort(flags.listen, '--listen');
  if (!isLoopback(ports.admin.host)) {
    throw new Error(`--admin ${flags.admin} can be reached from outside, and the admin port asks nobody who he is; use 127.0.0.1`);
  }
  const settings = { mtls: true, clusterDomain: flags['cluster-domain'], ipv6: flags.ipv6, ...(flags['mesh-cidr'] ? { meshCidrs: flags['mesh-cidr'] } : {}) };
  const failed =
    (task: string) =>
    (error: unknown): undefined => {
      instruments.taskFailed(task);
      logger.error({ task, error: String(error) }, 'a task has failed; it is tried again');
    };
  const serverName = `${controllerName}.${flags.namespace}.svc`;
  return { flags, ports, serverName, logger, instruments, failed, client: connectTo(flags), core: createCore(settings, logger, { followsPods: true }) };
}
