/** Certificates as `weft check` judges them. */
import { X509Certificate } from 'node:crypto';

const day = 86_400_000;

/** How long the certificates of a PEM text are valid. */
export interface Validity {
  readonly state: 'none' | 'broken' | 'expired' | 'early' | 'soon' | 'valid';
  /** One line for people. */
  readonly message: string;
}

/** The verdict on the certificate that expires first, at the time `now` in milliseconds since 1970. `soon` is within a week. */
export function validity(pem: string, now: number): Validity {
  const texts = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (texts.length === 0) return { state: 'none', message: 'no certificate' };
  const certificates = texts.map(parse);
  const spans = certificates.flatMap((one) => (one ? [{ from: Date.parse(one.validFrom), to: Date.parse(one.validTo) }] : []));
  if (spans.length < texts.length) return { state: 'broken', message: 'a certificate that cannot be read' };
  const to = Math.min(...spans.map((span) => span.to));
  const from = Math.max(...spans.map((span) => span.from));
  const until = new Date(to).toISOString();
  if (to <= now) return { state: 'expired', message: `an authority that expired at ${until}` };
  if (from > now + day) return { state: 'early', message: `an authority that is not valid before ${new Date(from).toISOString()}` };
  return { state: to - now < 7 * day ? 'soon' : 'valid', message: `an authority valid until ${until}` };
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
