/** When a certificate that Weft issues is renewed. */

/** Of a life, when it is renewed at the earliest and at the latest. */
const [earliest, latest] = [0.4, 0.6];

/** What is known of a certificate; milliseconds since 1970. */
export interface Renewable {
  readonly notBefore: number;
  readonly renewAt: number;
}

/** At half the life, give or take a tenth of it, so that what was issued together is not renewed in step. */
export function renewalOf(begin: number, end: number): number {
  return begin + (end - begin) * (earliest + Math.random() * (latest - earliest));
}

/** Also when the clock was ahead as it was issued, and has come back since: it is not good yet, or would be renewed later than a new one. */
export function isRenewalDue({ notBefore, renewAt }: Renewable, now: number, lifetimeMs: number): boolean {
  return now >= renewAt || notBefore > now || renewAt > now + latest * lifetimeMs;
}

/** Why nothing is issued any more. */
export function endedAuthority(notAfter: number): Error {
  const when = new Date(notAfter).toISOString().replace(/\.\d+Z$/, 'Z');
  return new Error(`the authority has ended at ${when}, so no certificate can be issued; renew it (weft ca status, docs/certificates.md)`);
}
