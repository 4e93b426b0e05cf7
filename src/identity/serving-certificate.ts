/** The certificate that a server of Weft shows: made in memory, renewed at half its life, swapped while the server runs. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { skewMs } from './authority-plan.js';
import type { CaMaterial } from './authority-secret.js';
import type { Ca } from './ca.js';
import { createListeners } from './listeners.js';
import { intermediatesOf, validityOf } from './pem.js';
import { endedAuthority, isRenewalDue, type Renewable, renewalOf } from './renewal.js';
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

/** After a failure. */
const retryMs = 10_000;

/** Issues the first certificate. Rejects with an Error when the authority cannot sign or has ended, or a certificate that a user has brought does not bear the names. */
export async function createServingCertificate(options: ServingCertificateOptions): Promise<ServingCertificate> {
  const { ca, clock, onError, lifetimeMs = day } = options;
  const listeners = createListeners();
  const closing = new AbortController();
  let current = await make(options);
  let times = timesOf(current.certificate);
  const renew = async () => {
    current = await make(options);
    times = timesOf(current.certificate);
    listeners.tell();
  };
  /** One after another, so that the certificate of an old authority cannot come last. */
  let renewing = Promise.resolve(true);
  const renewSafely = () => {
    renewing = renewing.then(renew).then(
      () => true,
      (error: unknown) => {
        onError(error);
        return false;
      },
    );
    return renewing;
  };
  const stop = ca.onChange(() => void renewSafely());
  const msLeft = () => {
    if (ca.current().kind === 'certificate') return longestWaitMs;
    const now = clock();
    return isRenewalDue(times, now, lifetimeMs) ? 0 : times.renewAt - now;
  };
  void keep(msLeft, renewSafely, closing.signal);
  return {
    current: () => current,
    onChange: listeners.add,
    close: () => {
      stop();
      closing.abort();
    },
  };
}

/** `renew` tells whether it has succeeded. */
async function keep(msLeft: () => number, renew: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  let isDone = true;
  while (!signal.aborted) {
    const wait = isDone ? Math.min(Math.max(msLeft(), 100), longestWaitMs) : retryMs;
    await delay(wait, undefined, { signal }).catch(() => undefined);
    isDone = signal.aborted || msLeft() > 0 || (await renew());
  }
}

function timesOf(certificate: string): Renewable {
  const { notBefore, notAfter } = validityOf(new X509Certificate(certificate));
  return { notBefore, renewAt: renewalOf(notBefore + skewMs, notAfter) };
}

async function make({ ca, dnsNames, clock, lifetimeMs = day }: ServingCertificateOptions): Promise<ServingPair> {
  const material = ca.current();
  if (material.kind === 'certificate') return brought(material, dnsNames);
  const now = clock();
  const end = Math.min(now + lifetimeMs, validityOf(new X509Certificate(material.certificate)).notAfter);
  if (end <= now) throw endedAuthority(end);
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
