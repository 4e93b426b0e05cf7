/**
 * Changing the root of the mesh by two that overlap, as steps of what the store of the authority holds. Each step is one
 * write, and what is to be done next follows from what is there: whoever stops in between loses nothing, and whoever comes
 * next goes on.
 */
import { type SecretChange, textHash } from './authority-plan.js';
import type { SecretTexts } from './authority-secret.js';
import { fingerprintIn, fingerprintOf, isRoot, isVouchedFor, readCertificates, writeCertificates } from './pem.js';
import type { Pair } from './x509.js';

/**
 * `Idle`: one authority, nothing to do. `Distributing`: the next one is trusted beside it, and does not sign yet.
 * `Renewing`: the next one signs, and what the old one has signed is still trusted.
 */
export type RotationPhase = 'Idle' | 'Distributing' | 'Renewing';

/** What a store holds of an authority. */
export interface StoredAuthority {
  readonly texts: SecretTexts;
  /** What says that Weft has made it; see `madeAnnotation`. */
  readonly made: string | undefined;
  /** The fingerprints of the roots that are to go at the end. */
  readonly retiring: readonly string[];
}

/** What a store is to hold next. */
export interface RotationStep extends SecretChange {
  readonly retiring: readonly string[];
}

/** Where a rotation stands. A next authority that is not trusted yet does not count, nor does a root that is to go and still signs. */
export function phaseOf({ texts, retiring }: StoredAuthority): RotationPhase {
  const trusted = new Set(readCertificates(rootsText(texts)).map(fingerprintOf));
  if (texts['next.key'] && trusted.has(fingerprintIn(texts['next.crt'] ?? ''))) return 'Distributing';
  const signers = new Set(signersOf(texts));
  return retiring.some((fingerprint) => trusted.has(fingerprint) && !signers.has(fingerprint)) ? 'Renewing' : 'Idle';
}

/** The fingerprints of those who sign no more when the rotation is done. */
export function outgoing(stored: StoredAuthority): readonly string[] {
  const { texts, retiring } = stored;
  return phaseOf(stored) === 'Renewing' ? retiring : [fingerprintIn(texts['tls.crt'] ?? ''), ...retiring];
}

/** Why this authority is not Weft's to change, and what to do instead; undefined when it is. `name` is what people call the store. */
export function refusalOf({ texts, made }: StoredAuthority, name: string): string | undefined {
  const certificate = texts['tls.crt'] ?? '';
  const [leaf] = readCertificates(certificate);
  if (!leaf || !texts['tls.key']) return `${name} holds no authority yet; weft serve makes one when it starts, or put yours there`;
  if (!leaf.ca) return `${name} holds the certificate of a server, which signs nobody; put an authority there, or empty it`;
  if (made === textHash(certificate)) return undefined;
  const instead =
    'add the new root to its trusted roots beside the old one, wait until `weft ca status` says that all have it, put the new certificate and key there, ' +
    'wait until all certificates are renewed, then take the old root out';
  const kind = isRoot(leaf) ? 'an authority' : 'an intermediate authority';
  return `${name} holds ${kind} that was brought, and Weft changes only what it has made; ${instead} (docs/certificates.md)`;
}

/** From `Idle` to `Distributing`: the next authority is trusted too. The roots that have signed the present one go at the end; others that a user trusts stay. */
export function begin({ texts }: StoredAuthority, next: Pair): RotationStep {
  const trusted = writeCertificates([...readCertificates(rootsText(texts)), ...readCertificates(next.certificate)]);
  const changed = { ...texts, 'ca.crt': trusted, 'next.crt': next.certificate, 'next.key': next.key };
  return step(changed, signersOf(texts));
}

/** From `Distributing` to `Renewing`: the next authority signs. */
export function sign({ texts, retiring }: StoredAuthority): RotationStep {
  const { 'next.crt': certificate = '', 'next.key': key = '', ...rest } = texts;
  const old = new Set([...retiring, ...signersOf(texts)]);
  old.delete(fingerprintIn(certificate));
  return step({ ...rest, 'ca.crt': rootsText(texts), 'tls.crt': certificate, 'tls.key': key }, [...old]);
}

/** From `Renewing` to `Idle`: the old roots are trusted no more. One that has signed the present authority stays, whatever is said of it. */
export function drop({ texts, retiring }: StoredAuthority): RotationStep {
  const needed = new Set(signersOf(texts));
  const kept = readCertificates(rootsText(texts)).filter((root) => needed.has(fingerprintOf(root)) || !retiring.includes(fingerprintOf(root)));
  return step({ ...texts, 'ca.crt': writeCertificates(kept) }, []);
}

function step(texts: SecretTexts, retiring: readonly string[]): RotationStep {
  return { texts, made: textHash(texts['tls.crt'] ?? ''), retiring };
}

/** An authority that brings no roots is trusted itself. */
function rootsText(texts: SecretTexts): string {
  return texts['ca.crt'] || (texts['tls.crt'] ?? '');
}

/** The trusted roots that vouch for who signs now. */
function signersOf(texts: SecretTexts): readonly string[] {
  const top = readCertificates(texts['tls.crt'] ?? '').at(-1);
  const roots = readCertificates(rootsText(texts));
  return top ? roots.filter((root) => isVouchedFor(top, [root])).map(fingerprintOf) : [];
}
