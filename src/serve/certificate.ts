/** The certificate that a server shows: asked for when it starts, and again after each change. */

/** PEM texts. */
export interface CertificateAndKey {
  /** The certificate of the server, then its chain. */
  readonly certificate: string;
  readonly key: string;
}

/** A certificate that is renewed while the server runs. */
export interface ServerCertificate {
  readonly current: () => CertificateAndKey;
  /** Calls the listener after each change; returns what ends that. */
  readonly onChange: (listener: () => void) => () => void;
}

/** One that never changes. */
export function fixedCertificate(pair: CertificateAndKey): ServerCertificate {
  return { current: () => pair, onChange: () => () => undefined };
}
