/** The certificate that a server of Weft shows: made in memory, renewed at half its life, swapped while the server runs. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { skewMs } from './authority-plan.js';
import type { CaMaterial } from './authority-secret.js';
import type { Ca } from './ca.js';
import { createListeners } from './listeners.js';
import { intermediatesOf, validityOf } from './pem.js';
import { issueServing, type Pair } from './x509.js';

/** What is to be shown. */
export interface ServingCertificateOptions {
  readonly ca: Pick<Ca, 'current' | 'onChange'>;
  /** The names, or IP addresses, by which the server is called. */
  readonly dnsNames: readonly string[];
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Told why there is no new certificate, while the old one stays in use. */
  readonly onError: (error: unknown) => void;
  /** How long a certificate is good, in milliseconds; a day unless given. */
  readonly lifetimeMs?: number | undefined;
}

/** The certificate, its key, and what callers are to trust, as PEM texts. */
export interface ServingPair extends Pair {
  readonly bundle: string;
}

/** A certificate that is always good. */
export interface ServingCertificate {
  readonly current: () => ServingPair;
  /** Calls the listener after each change; returns what ends that. */
  readonly onChange: (listener: () => void) => () => void;
  readonly close: () => void;
}

const day = 24 * 60 * 60_000;

/** Looks at the clock at least so often, so that a machine that slept is not late by as long as it slept. */
const longestWaitMs = 60_000;

/** Issues the first certificate. Rejects with an Error when the authority cannot sign, or a certificate that a user has brought does not bear the names. */
export async function createServingCertificate(options: ServingCertificateOptions): Promise<ServingCertificate> {
  const { ca, clock, onError } = options;
  const listeners = createListeners();
  const closing = new AbortController();
  let current = await make(options);
  let renewAt = renewalOf(current.certificate);
  const renew = async () => {
    current = await make(options);
    renewAt = renewalOf(current.certificate);
    listeners.tell();
  };
  /** One after another, so that the certificate of an old authority cannot come last. */
  let renewing = Promise.resolve();
  const renewSafely = () => {
    renewing = renewing.then(renew).catch(onError);
    return renewing;
  };
  const stop = ca.onChange(renewSafely);
  void keep(
    () => renewAt - clock(),
    renewSafely,
    () => ca.current().kind === 'authority',
    closing.signal,
  );
  return {
    current: () => current,
    onChange: listeners.add,
    close: () => {
      stop();
      closing.abort();
    },
  };
}

async function keep(msLeft: () => number, renew: () => Promise<void>, isOurs: () => boolean, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const wait = Math.min(Math.max(msLeft(), 100), longestWaitMs);
    await delay(wait, undefined, { signal }).catch(() => undefined);
    if (!signal.aborted && isOurs() && msLeft() <= 0) await renew();
  }
}

/** At half the life, give or take a tenth of it, so that replicas do not renew in step. */
function renewalOf(certificate: string): number {
  const { notBefore, notAfter } = validityOf(new X509Certificate(certificate));
  const begin = notBefore + skewMs;
  return begin + (notAfter - begin) * (0.4 + Math.random() / 5);
}

async function make({ ca, dnsNames, clock, lifetimeMs = day }: ServingCertificateOptions): Promise<ServingPair> {
  const material = ca.current();
  if (material.kind === 'certificate') return brought(material, dnsNames);
  const now = clock();
  const end = Math.min(now + lifetimeMs, validityOf(new X509Certificate(material.certificate)).notAfter);
  const { certificate, key } = await issueServing(material, dnsNames, { notBefore: now - skewMs, notAfter: end });
  return { certificate: certificate + intermediatesOf(material.certificate), key, bundle: material.bundle };
}

function brought({ certificate, key, bundle }: CaMaterial, names: readonly string[]): ServingPair {
  const leaf = new X509Certificate(certificate);
  const missing = names.filter((name) => (isIP(name) ? leaf.checkIP(name) : leaf.checkHost(name)) === undefined);
  if (missing.length > 0)
    throw new Error(`the serving certificate that was brought is not for ${missing.join(', ')}; add that to its subject alternative names`);
  return { certificate, key, bundle };
}
