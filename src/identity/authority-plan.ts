/**
 * The life of an authority that Weft has made. When a fifth of it is left, the next one is made and its certificate handed
 * out beside the old; only when everybody has had the time to learn of it does it begin to sign. The old one is trusted
 * until it expires. What a user has brought is never touched.
 */
import { createHash, X509Certificate } from 'node:crypto';
import type { SecretTexts } from './authority-secret.js';
import { readCertificates, validityOf, writeCertificates } from './pem.js';
import { makeAuthority, type Pair } from './x509.js';

/** Spans of time, in milliseconds. */
export interface AuthorityTimes {
  /** How long an authority is good for. */
  readonly lifetimeMs: number;
  /** How long the next one is only trusted before it signs. */
  readonly overlapMs: number;
}

const day = 24 * 60 * 60_000;

/** Ten years, and a day. */
export const defaultAuthorityTimes: AuthorityTimes = { lifetimeMs: 3653 * day, overlapMs: day };

/** The clocks of those who check a certificate may be so far behind. */
export const skewMs = 10 * 60_000;

/** A root is dated back by so much, since it is made by the clock of one machine and used by those of others. */
const rootSkewMs = day;

/** The annotation that tells an authority of Weft from one that a user has brought: the SHA-256 of the certificate in tls.crt. */
export const madeAnnotation = 'weft.dev/made';

/** What a Secret is to hold next. */
export interface SecretChange {
  readonly texts: SecretTexts;
  /** The value of {@link madeAnnotation}; undefined for what a user has brought. */
  readonly made: string | undefined;
}

/** A new authority for an empty Secret. */
export async function fill(now: number, times: AuthorityTimes): Promise<SecretChange> {
  const pair = await authorityPair(now, times);
  return change({ 'tls.crt': pair.certificate, 'tls.key': pair.key, 'ca.crt': pair.certificate });
}

/** The next step in the life of the authority, or undefined while there is nothing to do. `made` is the annotation as it stands. */
export async function advance(texts: SecretTexts, made: string | undefined, now: number, times: AuthorityTimes): Promise<SecretChange | undefined> {
  const { 'tls.crt': certificate = '', 'tls.key': key = '', 'ca.crt': bundle = '', 'next.crt': nextCertificate, 'next.key': nextKey } = texts;
  if (made !== textHash(certificate)) return undefined;
  if (nextCertificate && nextKey) {
    const { notBefore } = validityOf(new X509Certificate(nextCertificate));
    if (now < notBefore + rootSkewMs + times.overlapMs) return undefined;
    return change({ 'tls.crt': nextCertificate, 'tls.key': nextKey, 'ca.crt': join(now, nextCertificate, bundle) });
  }
  const { notBefore, notAfter } = validityOf(new X509Certificate(certificate));
  if (now < notAfter - (notAfter - notBefore - rootSkewMs) / 5) return undefined;
  const next = await authorityPair(now, times);
  const trusted = join(now, bundle, next.certificate);
  return change({ 'tls.crt': certificate, 'tls.key': key, 'ca.crt': trusted, 'next.crt': next.certificate, 'next.key': next.key });
}

/** A new root with its key, good from now on; nobody trusts it yet. */
export function authorityPair(now: number, { lifetimeMs }: AuthorityTimes = defaultAuthorityTimes): Promise<Pair> {
  return makeAuthority({ notBefore: now - rootSkewMs, notAfter: now + lifetimeMs });
}

/** Both bundles in one, without what has expired. */
function join(now: number, ...bundles: readonly string[]): string {
  return writeCertificates(bundles.flatMap(readCertificates).filter((certificate) => validityOf(certificate).notAfter > now));
}

function change(texts: SecretTexts): SecretChange {
  return { texts, made: textHash(texts['tls.crt'] ?? '') };
}

/** The SHA-256 of a text, by which {@link madeAnnotation} knows a certificate again. */
export function textHash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
