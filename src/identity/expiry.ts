/** When an authority ends, and when that is to be told: 30, 7 and 1 days ahead, and when it has. Pure. */
import type { CaMaterial } from './authority-secret.js';
import { isRoot, isVouchedFor, readCertificates, validityOf } from './pem.js';

/** The certificate of an authority that ends first. */
export interface Expiry {
  readonly role: 'root' | 'intermediate';
  readonly subject: string;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
}

/** What is to be told of it. */
export interface ExpiryNotice extends Expiry {
  /** It ends within so many days; 0 when it has ended. */
  readonly days: 30 | 7 | 1 | 0;
  /** In words that stay the same for as long as `days` does. */
  readonly message: string;
}

/**
 * Of the certificates without which nothing is signed: the authority, those above it, and the root that vouches for them (the
 * one that lasts longest, where several do). Undefined for a server's certificate of its own, whose owner renews it late by habit,
 * and which is then bound by its root alone.
 */
export function expiryOf({ certificate, bundle }: CaMaterial): Expiry | undefined {
  const chain = readCertificates(certificate).filter(({ ca }) => ca);
  const top = readCertificates(certificate).at(-1);
  const roots = top ? readCertificates(bundle).filter((root) => isVouchedFor(top, [root])) : [];
  const lasting = roots.toSorted((a, b) => validityOf(b).notAfter - validityOf(a).notAfter).slice(0, 1);
  const all = [...chain, ...lasting].map((one): Expiry => {
    return { role: isRoot(one) ? 'root' : 'intermediate', subject: one.subject.replaceAll('\n', ', '), notAfter: validityOf(one).notAfter };
  });
  return all.toSorted((a, b) => a.notAfter - b.notAfter)[0];
}

const dayMs = 24 * 60 * 60_000;

/** Undefined while it ends in more than 30 days. `place` is what people call the place of the authority: `Secret weft-system/weft-ca`. */
export function noticeOf(expiry: Expiry, place: string, now: number): ExpiryNotice | undefined {
  const left = expiry.notAfter - now;
  const days = left <= 0 ? 0 : ([1, 7, 30] as const).find((limit) => left <= limit * dayMs);
  if (days === undefined) return undefined;
  const when = `${days === 0 ? 'has ended' : 'ends'} at ${new Date(expiry.notAfter).toISOString().replace(/\.\d+Z$/, 'Z')}`;
  const within = days === 0 ? '' : `, within ${days} ${days === 1 ? 'day' : 'days'}`;
  const message = `the ${expiry.role} certificate ${expiry.subject} in ${place} ${when}${within}; renew it (weft ca status, docs/certificates.md)`;
  return { ...expiry, days, message };
}
