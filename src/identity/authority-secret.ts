/**
 * What the Secret of an authority holds. Weft fills an empty one; a user may bring an authority, or a serving certificate
 * (cert-manager writes both in this form). Keys: `tls.crt`, `tls.key`, `ca.crt` (what others are to trust), and `next.crt`,
 * `next.key` while an authority that Weft has made is being renewed.
 */
import type { X509Certificate } from 'node:crypto';
import { isKeyOf, isRoot, isVouchedFor, readCertificates, validityOf, writeCertificates } from './pem.js';
import type { Pair } from './x509.js';

/** What a Secret holds, decoded: the value of each key as text. */
export type SecretTexts = Readonly<Record<string, string>>;

/** What can be done with a Secret. */
export interface CaMaterial extends Pair {
  /** `authority`: the pair signs certificates. `certificate`: it is the serving certificate itself. */
  readonly kind: 'authority' | 'certificate';
  /** PEM text of the roots that others are to trust. */
  readonly bundle: string;
}

/** Reads a Secret; undefined when it is empty. Throws an Error that names the Secret, the key, what is wrong and what to do. */
export function readCaSecret(texts: SecretTexts, secret: string, now: number): CaMaterial | undefined {
  const certificate = texts['tls.crt'] ?? '';
  const key = texts['tls.key'] ?? '';
  if (!certificate.trim() && !key.trim()) return undefined;
  const chain = parse(certificate, secret, 'tls.crt');
  const [leaf] = chain;
  if (!leaf) throw wrong(secret, 'tls.crt', 'holds no certificate', 'put a PEM certificate there');
  if (!isKeyOf(key, leaf)) throw wrong(secret, 'tls.key', 'is not the key of tls.crt', 'put the PEM key of that certificate there');
  checkTime(leaf, secret, now);
  const roots = rootsOf(texts['ca.crt'] ?? '', chain, secret);
  return { kind: leaf.ca ? 'authority' : 'certificate', certificate: writeCertificates(chain), key, bundle: writeCertificates(roots) };
}

function rootsOf(text: string, chain: readonly X509Certificate[], secret: string): readonly X509Certificate[] {
  const given = parse(text, secret, 'ca.crt');
  const roots = given.length > 0 ? given : chain.filter((certificate) => certificate.ca && isRoot(certificate));
  if (roots.length === 0) throw wrong(secret, 'ca.crt', 'is empty', 'put the PEM certificate of the root there that has signed tls.crt');
  const top = chain.at(-1);
  if (top && !isVouchedFor(top, roots))
    throw wrong(secret, 'ca.crt', 'holds no authority that has signed tls.crt', 'put the root there, or the chain into tls.crt');
  return roots;
}

function parse(text: string, secret: string, key: string): readonly X509Certificate[] {
  try {
    return readCertificates(text);
  } catch (error) {
    throw wrong(secret, key, `holds a certificate that cannot be read (${error instanceof Error ? error.message : error})`, 'put a PEM certificate there');
  }
}

function checkTime(certificate: X509Certificate, secret: string, now: number): void {
  const { notBefore, notAfter } = validityOf(certificate);
  if (now >= notAfter) throw wrong(secret, 'tls.crt', `has expired at ${certificate.validTo}`, 'renew it');
  if (now < notBefore) throw wrong(secret, 'tls.crt', `is good from ${certificate.validFrom} only`, 'wait, or correct the clock of this machine');
}

function wrong(secret: string, key: string, what: string, remedy: string): Error {
  return new Error(`Secret ${secret}: ${key} ${what}; ${remedy}, or empty tls.crt and tls.key, and Weft makes an authority of its own`);
}
