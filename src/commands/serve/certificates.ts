/** What the controller's two TLS ports show. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Ca, openCa } from '../../identity/ca.js';
import { hasCaBundle } from '../../identity/ca-bundle.js';
import { createServingCertificate, type ServingCertificate } from '../../identity/serving-certificate.js';
import { isTrustPublished } from '../../identity/trust-config-maps.js';
import type { KubeClient } from '../../kubernetes/api.js';
import { parseDuration } from '../../model/duration.js';

/** The certificates, each of an authority of its own. */
export interface Certificates {
  /** The authority of the mesh: it has issued the certificate for proxies, and issues those of the proxies. */
  readonly mesh: Ca;
  /** The authority of the webhook's certificate. */
  readonly webhookCa: Ca;
  /** For proxies. */
  readonly xds: ServingCertificate;
  /** For the API server, and for the other replicas. */
  readonly webhook: ServingCertificate;
  readonly close: () => void;
}

/** What they are made with. */
export interface CertificatesOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** The name by which both ports are called. */
  readonly serverName: string;
  /** The name of the ValidatingWebhookConfiguration that calls the controller. */
  readonly webhookConfiguration: string;
  readonly failed: (task: string) => (error: unknown) => undefined;
}

const retryMs = 2_000;

const shortestLifetimeMs = 10_000;

/** Nobody takes a certificate back, so it must not be good for long. */
const longestLifetimeMs = 24 * 60 * 60_000;

/** How long a certificate of a workload is good, in milliseconds. Throws an Error when the text is no duration, is one in which nothing can be renewed in time, or is more than a day. */
export function readLifetime(text: string): number {
  const lifetimeMs = parseDuration(text);
  if (lifetimeMs !== undefined && lifetimeMs >= shortestLifetimeMs && lifetimeMs <= longestLifetimeMs) return lifetimeMs;
  throw new Error(`--certificate-lifetime ${text}: write a duration from 10s to 24h; a certificate cannot be taken back, so none is good for more than a day`);
}

/** Opens both Secrets. While they, or the API server, are not there, it waits: a restart would not make them come sooner. */
export async function openCertificates(options: CertificatesOptions): Promise<Certificates> {
  const { client, webhookConfiguration } = options;
  const isCalled = () => hasCaBundle({ client, resource: 'validatingwebhookconfigurations', name: webhookConfiguration });
  const [xds, webhook] = await Promise.all([
    openOne(options, { secret: 'weft-ca', hasBeen: () => isTrustPublished(client), check: checkAuthority }),
    openOne(options, { secret: 'weft-webhook-ca', hasBeen: isCalled, check: () => undefined }),
  ]);
  return {
    mesh: xds.ca,
    webhookCa: webhook.ca,
    xds: xds.certificate,
    webhook: webhook.certificate,
    close: () => {
      for (const { ca, certificate } of [xds, webhook]) {
        ca.close();
        certificate.close();
      }
    },
  };
}

interface Opened {
  readonly ca: Ca;
  readonly certificate: ServingCertificate;
}

/** One of the two Secrets. */
interface OneOptions {
  readonly secret: string;
  /** See `CaOptions`. */
  readonly hasBeen: () => Promise<boolean>;
  /** Throws when what is there is of no use here. */
  readonly check: (ca: Ca) => void;
}

async function openOne({ client, namespace, serverName, failed }: CertificatesOptions, { secret, hasBeen, check }: OneOptions): Promise<Opened> {
  const onError = failed(secret);
  for (;;) {
    const opening = openCa({ client, namespace, secret, hasBeen, clock: Date.now, onError });
    const ca = await opening.then((opened) => checked(opened, check)).catch(onError);
    const certificate = ca && (await createServingCertificate({ ca, dnsNames: [serverName], clock: Date.now, onError }).catch(onError));
    if (ca && certificate) return { ca, certificate };
    ca?.close();
    await delay(retryMs);
  }
}

function checked(ca: Ca, check: (ca: Ca) => void): Ca {
  try {
    check(ca);
    return ca;
  } catch (error) {
    ca.close();
    throw error;
  }
}

/** A serving certificate is enough for a webhook; identities need somebody who signs them. */
function checkAuthority(ca: Ca): void {
  if (ca.current().kind === 'authority') return;
  throw new Error('Secret weft-ca holds the certificate of a server, and identities need an authority; put one there (basicConstraints CA:TRUE), or empty it');
}
