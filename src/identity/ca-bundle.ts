/**
 * The `caBundle` of a webhook configuration: what the API server must trust to call the webhook. The chart leaves the field
 * out, so that tools which compare the cluster with the chart see no difference, and Weft sets it, and sets it again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type KubeClient, KubeError } from '../kubernetes/api.js';
import { isPlain, listOf, textOf } from '../kubernetes/plain.js';

/** Which webhook configuration, and what it is to hold. */
export interface CaBundleOptions {
  readonly client: KubeClient;
  readonly resource: 'mutatingwebhookconfigurations' | 'validatingwebhookconfigurations';
  readonly name: string;
  /** PEM text; asked for each time. */
  readonly bundle: () => string;
}

/** How to keep it. */
export interface KeepCaBundleOptions extends CaBundleOptions {
  /** Calls its listener after each change of the bundle; returns what ends that. */
  readonly onChange: (listener: () => void) => () => void;
  /** Told of each look that failed; the next comes after `retryMs`. */
  readonly onError: (error: unknown) => void;
  /** How often the object is looked at, in milliseconds: half a minute, and two seconds after a failure, unless given. */
  readonly intervalMs?: number | undefined;
  readonly retryMs?: number | undefined;
}

/**
 * Sets the field, where it differs, of every webhook of the configuration; resolves to whether there was anything to
 * do. Needs get and patch on that object. Rejects when it is not there, or may not be touched.
 */
export async function setCaBundle({ client, resource, name, bundle }: CaBundleOptions): Promise<boolean> {
  const path = `/apis/admissionregistration.k8s.io/v1/${resource}/${name}`;
  const body = patchFor(await client.request({ method: 'GET', path }), Buffer.from(bundle()).toString('base64'));
  if (body.length > 0) await client.request({ method: 'PATCH', path, patch: 'json', body });
  return body.length > 0;
}

/** Whether any webhook of the configuration has the field: then there has been an authority. Needs get on that object; false when it is not there. */
export async function hasCaBundle({ client, resource, name }: Omit<CaBundleOptions, 'bundle'>): Promise<boolean> {
  const path = `/apis/admissionregistration.k8s.io/v1/${resource}/${name}`;
  const configuration = await client.request({ method: 'GET', path }).catch((error: unknown) => {
    if (!(error instanceof KubeError && error.status === 404)) throw error;
  });
  return listOf(configuration, 'webhooks').some((webhook) => isPlain(webhook) && textOf(webhook['clientConfig'], 'caBundle') !== '');
}

/** Each change is bound to the name of its webhook, in case the list has changed since it was read. */
function patchFor(configuration: unknown, caBundle: string): readonly object[] {
  const webhooks = listOf(configuration, 'webhooks');
  return webhooks.flatMap((webhook, index) => {
    const config = isPlain(webhook) ? webhook['clientConfig'] : undefined;
    if (!isPlain(config) || config['caBundle'] === caBundle) return [];
    return [
      { op: 'test', path: `/webhooks/${index}/name`, value: textOf(webhook, 'name') },
      { op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value: caBundle },
    ];
  });
}

/** Sets the field now, after each change of the bundle, and when somebody has changed it or made the object anew. Returns what ends that. */
export function keepCaBundle(options: KeepCaBundleOptions): () => void {
  const { intervalMs = 30_000, retryMs = 2_000, onChange, onError } = options;
  const closing = new AbortController();
  let wake = new AbortController();
  const stop = onChange(() => wake.abort());
  const keep = async () => {
    while (!closing.signal.aborted) {
      wake = new AbortController();
      const error: unknown = await setCaBundle(options).then(
        () => undefined,
        (reason: unknown) => reason ?? 'no reason',
      );
      if (error !== undefined && !closing.signal.aborted) onError(error);
      const wait = (error === undefined ? intervalMs : retryMs) * (0.8 + Math.random() * 0.4);
      await delay(wait, undefined, { signal: AbortSignal.any([wake.signal, closing.signal]), ref: false }).catch(() => undefined);
    }
  };
  void keep();
  return () => {
    stop();
    closing.abort();
  };
}
