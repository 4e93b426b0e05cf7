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

/** Where texts are from, for the words in which something is wrong with them. */
export interface Place {
  /** `Secret weft-system/weft-ca`. */
  readonly name: string;
  /** How each key is called there. */
  readonly keys: Readonly<Record<'tls.crt' | 'tls.key' | 'ca.crt', string>>;
  /** What else could be done. */
  readonly orElse: string;
}

const secretKeys = { 'tls.crt': 'tls.crt', 'tls.key': 'tls.key', 'ca.crt': 'ca.crt' } as const;

/** Reads a Secret; undefined when it is empty. Throws an Error that names the Secret, the key, what is wrong and what to do. */
export function readCaSecret(texts: SecretTexts, secret: string, now: number): CaMaterial | undefined {
  const orElse = 'or empty tls.crt and tls.key: a replica that knows the authority puts it back, and when none does Weft makes one';
  return readMaterial(texts, { name: `Secret ${secret}`, keys: secretKeys, orElse }, now);
}

/** The same for an authority only, from any place. */
export function readAuthority(texts: SecretTexts, place: Place, now: number): CaMaterial | undefined {
  const material = readMaterial(texts, place, now);
  if (material && material.kind !== 'authority') throw wrong(place, 'tls.crt', 'is no certificate of an authority', 'put one there (basicConstraints CA:TRUE)');
  return material;
}

function readMaterial(texts: SecretTexts, place: Place, now: number): CaMaterial | undefined {
  const certificate = texts['tls.crt'] ?? '';
  const key = texts['tls.key'] ?? '';
  if (!certificate.trim() && !key.trim()) return undefined;
  const chain = parse(certificate, place, 'tls.crt');
  const [leaf] = chain;
  if (!leaf) throw wrong(place, 'tls.crt', 'holds no certificate', 'put a PEM certificate there');
  if (!isKeyOf(key, leaf)) throw wrong(place, 'tls.key', `is not the key of ${place.keys['tls.crt']}`, 'put the PEM key of that certificate there');
  checkTime(leaf, place, now);
  const roots = rootsOf(texts['ca.crt'] ?? '', chain, place);
  return { kind: leaf.ca ? 'authority' : 'certificate', certificate: writeCertificates(chain), key, bundle: writeCertificates(roots) };
}

function rootsOf(text: string, chain: readonly X509Certificate[], place: Place): readonly X509Certificate[] {
  const given = parse(text, place, 'ca.crt');
  const signed = place.keys['tls.crt'];
  const roots = given.length > 0 ? given : chain.filter((certificate) => certificate.ca && isRoot(certificate));
  if (roots.length === 0) throw wrong(place, 'ca.crt', 'is empty', `put the PEM certificate of the root there that has signed ${signed}`);
  const top = chain.at(-1);
  if (top && !isVouchedFor(top, roots))
    throw wrong(place, 'ca.crt', `holds no authority that has signed ${signed}`, `put the root there, or the chain into ${signed}`);
  return roots;
}

function parse(text: string, place: Place, key: keyof Place['keys']): readonly X509Certificate[] {
  try {
    return readCertificates(text);
  } catch (error) {
    throw wrong(place, key, `holds a certificate that cannot be read (${error instanceof Error ? error.message : error})`, 'put a PEM certificate there');
  }
}

function checkTime(certificate: X509Certificate, place: Place, now: number): void {
  const { notBefore, notAfter } = validityOf(certificate);
  if (now >= notAfter) throw wrong(place, 'tls.crt', `has expired at ${certificate.validTo}`, 'renew it');
  if (now < notBefore) throw wrong(place, 'tls.crt', `is good from ${certificate.validFrom} only`, 'wait, or correct the clock of this machine');
}

function wrong({ name, keys, orElse }: Place, key: keyof Place['keys'], what: string, remedy: string): Error {
  return new Error(`${name}: ${keys[key]} ${what}; ${remedy}, ${orElse}`);
}
