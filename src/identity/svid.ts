/** One certificate of an identity, and until when it is used. */
import { type Identity, isNameable, spiffeId } from '../model/spiffe.js';
import { skewMs } from './authority-plan.js';
import type { CaMaterial } from './authority-secret.js';
import { fingerprintIn, intermediatesOf, readCertificates, validityOf } from './pem.js';
import { endedAuthority, isRenewalDue, renewalOf } from './renewal.js';
import { issueSvid, type Pair } from './x509.js';

/** An issued certificate (with its intermediates) and its key. */
export interface Svid extends Pair {
  readonly uri: string;
  /** Which authority has signed it, as {@link fingerprintIn} tells. */
  readonly issuer: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly renewAt: number;
}

/** What a certificate is issued by. */
export interface SvidOptions {
  readonly authority: CaMaterial;
  readonly trustDomain: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly lifetimeMs: number;
}

/** Issues one. Rejects with an Error when the identity has no SPIFFE id, or the authority cannot sign, or has ended. */
export async function makeSvid(identity: Identity, { authority, trustDomain, now, lifetimeMs }: SvidOptions): Promise<Svid> {
  if (!isNameable(identity)) throw new Error(`${JSON.stringify(identity)} cannot be a SPIFFE id; use letters, digits, dots and dashes`);
  if (authority.kind !== 'authority')
    throw new Error('there is no authority that could sign identities, but a serving certificate; put an authority in its place');
  const uri = spiffeId(trustDomain, identity);
  const ends = readCertificates(authority.certificate).map((certificate) => validityOf(certificate).notAfter);
  const notAfter = Math.min(now + lifetimeMs, ...ends);
  if (notAfter <= now) throw endedAuthority(notAfter);
  const notBefore = now - skewMs;
  const { certificate, key } = await issueSvid(authority, uri, { notBefore, notAfter });
  const chain = certificate + intermediatesOf(authority.certificate);
  return { certificate: chain, key, uri, issuer: fingerprintIn(authority.certificate), notBefore, notAfter, renewAt: renewalOf(now, notAfter) };
}

/** Whether those whose clock is right take it. */
export function isGood({ notBefore, notAfter }: Pick<Svid, 'notBefore' | 'notAfter'>, now: number): boolean {
  return notBefore <= now && now < notAfter;
}

/** Whether it has to be made anew: it is past half its life, or is not what would be made now. */
export function isStale(svid: Svid, { authority, trustDomain, now, lifetimeMs }: SvidOptions, identity: Identity): boolean {
  const isLate = isRenewalDue(svid, now, lifetimeMs);
  return isLate || svid.uri !== spiffeId(trustDomain, identity) || svid.issuer !== fingerprintIn(authority.certificate);
}
