/** Keeps the ConfigMap that sidecars trust their control plane by in every namespace that has any. */
import { publishTrust } from '../../identity/trust-config-maps.js';
import { sdsFiles } from '../../inject/sds-files.js';
import type { KubeClient } from '../../kubernetes/api.js';
import type { Store } from '../../sources/store.js';

/** What is kept, and by whom. */
export interface TrustKeeperOptions {
  readonly client: KubeClient;
  readonly store: Pick<Store, 'pods' | 'namespaces'>;
  /** The authority of the xDS port, as PEM. */
  readonly bundle: () => string;
  /** The name in the certificate of that port. */
  readonly serverName: string;
  /** One replica writes. */
  readonly isHolder: () => boolean;
  readonly onError: (error: unknown) => void;
}

/** Writes in the background. */
export interface TrustKeeper {
  /** Something that the ConfigMaps depend on may have changed. */
  readonly touch: () => void;
  readonly close: () => void;
}

/** Where a sidecar finds what the ConfigMap and its token say. */
const folder = '/var/run/weft';
/** So long changes are gathered, in milliseconds: pods of a new namespace wait for the ConfigMap. */
const gatherMs = 20;
/**
 * How often it is looked whether somebody else has changed a ConfigMap. After a failure it is sooner at first; but a namespace in
 * which it never succeeds must not make the API server list the ConfigMaps of the cluster all the time.
 */
const intervalMs = 60_000;
const retryMs = 2_000;
const longestRetryMs = 30_000;

/** Begins to keep them; nothing is written before the first look. */
export function keepTrust(options: TrustKeeperOptions): TrustKeeper {
  let timer: NodeJS.Timeout | undefined;
  let isBusy = false;
  let isTouched = false;
  let isClosed = false;
  let published = '';
  let failures = 0;
  const look = (ms: number) => {
    clearTimeout(timer);
    if (!isClosed) timer = setTimeout(run, ms).unref();
  };
  const run = async (): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    isTouched = false;
    const isDone = await publish(options).catch((error: unknown) => options.onError(error) ?? false);
    isBusy = false;
    failures = isDone ? 0 : failures + 1;
    look(isTouched ? gatherMs : isDone ? intervalMs : Math.min(longestRetryMs, retryMs * 2 ** (failures - 1)));
  };
  look(gatherMs);
  return {
    touch: () => {
      const wanted = options.isHolder() ? wishOf(options) : '';
      if (wanted === published) return;
      published = wanted;
      isTouched = true;
      if (!isBusy) look(gatherMs);
    },
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

/** False when it has to be tried again. */
async function publish({ client, store, bundle, serverName, isHolder, onError }: TrustKeeperOptions): Promise<boolean> {
  if (!isHolder()) return true;
  const data = { 'ca.crt': bundle(), ...sdsFiles({ folder, serverName }) };
  const { failed } = await publishTrust({ client, data, namespaces: meshedNamespaces(store) });
  for (const { namespace, error } of failed) onError(new Error(`namespace ${namespace}: ${error}`));
  return failed.length === 0;
}

function wishOf({ store, bundle }: TrustKeeperOptions): string {
  return JSON.stringify([bundle(), meshedNamespaces(store)]);
}

/** Those that are labelled, and those that have a pod that was injected or asks to be; sorted. */
export function meshedNamespaces({ pods, namespaces }: TrustKeeperOptions['store']): readonly string[] {
  const found = new Set<string>();
  for (const { name, labels } of namespaces()) if (labels[label] === 'true') found.add(name);
  for (const pod of pods()) if (pod.proxy === 'Injected' || pod.labels[label] === 'true') found.add(pod.namespace);
  return [...found].sort();
}

const label = 'weft.dev/inject';
