/** What the controller's two TLS ports show. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Ca, openCa } from '../../identity/ca.js';
import { createServingCertificate, type ServingCertificate } from '../../identity/serving-certificate.js';
import type { KubeClient } from '../../kubernetes/api.js';

/** The certificates, each of an authority of its own. */
export interface Certificates {
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

/** Opens both Secrets. While they, or the API server, are not there, it waits: a restart would not make them come sooner. */
export async function openCertificates(options: CertificatesOptions): Promise<Certificates> {
  const [xds, webhook] = await Promise.all([openOne(options, 'weft-ca'), openOne(options, 'weft-webhook-ca')]);
  return {
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

async function openOne(options: CertificatesOptions, secret: string): Promise<{ readonly ca: Ca; readonly certificate: ServingCertificate }> {
  const onError = options.failed(secret);
  for (;;) {
    const ca = await openCa({ client: options.client, namespace: options.namespace, secret, clock: Date.now, onError }).catch(onError);
    const certificate = ca && (await createServingCertificate({ ca, dnsNames: [options.serverName], clock: Date.now, onError }).catch(onError));
    if (ca && certificate) return { ca, certificate };
    ca?.close();
    await delay(retryMs);
  }
}
