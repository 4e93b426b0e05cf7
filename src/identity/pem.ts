/** Reading certificates: PEM in, what they say out. */
import { createPrivateKey, X509Certificate } from 'node:crypto';

/** The certificates in a PEM text, in its order. Throws an Error when there is something else in it that claims to be one. */
export function readCertificates(text: string): readonly X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/** One PEM text, each certificate once. */
export function writeCertificates(certificates: readonly X509Certificate[]): string {
  const unique = new Map(certificates.map((certificate) => [certificate.fingerprint256, certificate.toString()]));
  return [...unique.values()].map((text) => `${text.trimEnd()}\n`).join('');
}

/** From when to when it is good, in milliseconds since 1970. */
export function validityOf({ validFrom, validTo }: X509Certificate): { readonly notBefore: number; readonly notAfter: number } {
  return { notBefore: Date.parse(validFrom), notAfter: Date.parse(validTo) };
}

/** Whether the key, a PEM text, is that of the certificate; false also when it is no key. */
export function isKeyOf(key: string, certificate: X509Certificate): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

/** Whether one of the roots is this certificate, or has signed it. */
export function isVouchedFor(certificate: X509Certificate, roots: readonly X509Certificate[]): boolean {
  return roots.some((root) => root.fingerprint256 === certificate.fingerprint256 || (certificate.checkIssued(root) && certificate.verify(root.publicKey)));
}

/** Whether it has signed itself. */
export function isRoot(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate);
}

/** The certificates of a chain that others need in order to come from its first one to a root: all but roots. */
export function intermediatesOf(chain: string): string {
  return writeCertificates(readCertificates(chain).filter((certificate) => !isRoot(certificate)));
}

/** The SHA-256 of a certificate, in hexadecimal. */
export function fingerprintOf({ fingerprint256 }: X509Certificate): string {
  return fingerprint256.replaceAll(':', '').toLowerCase();
}

/** That of the first certificate of a PEM text; empty when there is none. */
export function fingerprintIn(text: string): string {
  const [first] = readCertificates(text);
  return first ? fingerprintOf(first) : '';
}
