/** What `weft serve --kubernetes` writes into the cluster. */
import { keepCaBundle } from '../../identity/ca-bundle.js';
import type { PeerReport } from '../../status/peers.js';
import type { CaExpiry } from './ca-expiry.js';
import type { Certificates } from './certificates.js';
import { type ClusterStatus, startClusterStatus } from './cluster-status.js';
import { controllerName, type Frame } from './frame.js';
import { keepTrust } from './trust.js';
import type { ClusterWorld } from './world.js';

/** What keeps it up to date. */
export interface Upkeep {
  readonly status: ClusterStatus;
  readonly close: () => Promise<void>;
}

/** Keeps the bundle of the webhook, the statuses of policies and the trust of the namespaces. */
export function startUpkeep(
  { flags, ports, client, core, serverName, failed }: Frame,
  world: ClusterWorld,
  { xds, webhook }: Certificates,
  report: () => Promise<PeerReport>,
  expiry: CaExpiry,
): Upkeep {
  const ca = () => webhook.current().bundle;
  const configuration = { client, resource: 'validatingwebhookconfigurations' as const, name: controllerName };
  const stopBundle = keepCaBundle({ ...configuration, bundle: ca, onChange: webhook.onChange, onError: failed('ca-bundle') });
  const peers = { ca, serverName, tokenFile: flags['token-file'], port: ports.webhook.port };
  const status = startClusterStatus({
    ...{ client, core, world, namespace: flags.namespace, pod: flags['pod-name'], name: controllerName, report, peers, expiry, failed },
    onHolding: () => trust.touch(),
  });
  const isHolder = () => status.lease.isHolder();
  const trust = keepTrust({ client, store: core.store, serverName, bundle: () => xds.current().bundle, isHolder, onError: failed('trust') });
  world.onChange(trust.touch);
  const stopTrust = xds.onChange(trust.touch);
  return {
    status,
    close: async () => {
      stopBundle();
      stopTrust();
      trust.close();
      await status.close();
    },
  };
}
