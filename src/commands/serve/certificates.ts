/** What the controller's two TLS ports show. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Ca, openCa } from '../../identity/ca.js';
import { createServingCertificate, type ServingCertificate } from '../../identity/serving-certificate.js';
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
  readonly failed: (task: string) => (error: unknown) => undefined;
}

const retryMs = 2_000;

const shortestLifetimeMs = 10_000;

/** How long a certificate of a workload is good, in milliseconds. Throws an Error when the text is no duration, or one in which nothing can be renewed in time. */
export function readLifetime(text: string): number {
  const lifetimeMs = parseDuration(text);
  if (lifetimeMs !== undefined && lifetimeMs >= shortestLifetimeMs) return lifetimeMs;
  throw new Error(`--certificate-lifetime ${text}: write a duration of 10s or more, such as 24h`);
}

/** Opens both Secrets. While they, or the API server, are not there, it waits: a restart would not make them come sooner. */
export async function openCertificates(options: CertificatesOptions): Promise<Certificates> {
  const [xds, webhook] = await Promise.all([openOne(options, 'weft-ca', checkAuthority), openOne(options, 'weft-webhook-ca', () => undefined)]);
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

async function openOne({ client, namespace, serverName, failed }: CertificatesOptions, secret: string, check: (ca: Ca) => void): Promise<Opened> {
  const onError = failed(secret);
  for (;;) {
    const opening = openCa({ client, namespace, secret, clock: Date.now, onError });
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
