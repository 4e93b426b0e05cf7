/** Making certificates. Nothing of them comes from anybody else: names, usages, times and the key are decided here. */
import 'reflect-metadata';
import { createPrivateKey, KeyObject, randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate and its key, as PEM texts. */
export interface Pair {
  /** The certificate, then its chain where it has one. */
  readonly certificate: string;
  readonly key: string;
}

/** From when to when a certificate is good, in milliseconds since 1970. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

const p256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const { subtle } = webcrypto;

/** A new authority of its own, ECDSA P-256, which may sign servers and one level of authorities. */
export async function makeAuthority(validity: Validity): Promise<Pair> {
  const keys = await subtle.generateKey(p256, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...common(validity),
    name: [{ CN: [`weft ${randomBytes(4).toString('hex')}`] }],
    signingAlgorithm: { ...p256, hash: 'SHA-256' },
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 1, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate), key: keyPem(keys.privateKey) };
}

/** A certificate for a server of these names (or IP addresses), with a new key. Rejects with an Error when the authority's key is of a kind that cannot sign here. */
export function issueServing(authority: Pair, names: readonly string[], validity: Validity): Promise<Pair> {
  return issue(authority, validity, {
    subject: [{ CN: [(names[0] ?? '').slice(0, 64)] }],
    usages: [ExtendedKeyUsage.serverAuth],
    names: new SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value }))),
  });
}

/**
 * An X.509 SVID with a new key: the URI is its only name, so that extension is critical
 * (https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md, RFC 5280 section 4.2.1.6). Rejects as {@link issueServing}.
 */
export function issueSvid(authority: Pair, uri: string, validity: Validity): Promise<Pair> {
  return issue(authority, validity, {
    subject: [],
    usages: [ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth],
    names: new SubjectAlternativeNameExtension([{ type: 'url', value: uri }], true),
  });
}

/** What differs between the certificates that are issued. */
interface Purpose {
  readonly subject: JsonName;
  readonly usages: readonly ExtendedKeyUsage[];
  readonly names: SubjectAlternativeNameExtension;
}

async function issue(authority: Pair, validity: Validity, { subject, usages, names }: Purpose): Promise<Pair> {
  const keys = await subtle.generateKey(p256, true, ['sign', 'verify']);
  const issuer = new X509Certificate(authority.certificate);
  const { signingKey, signingAlgorithm } = await signer(authority.key);
  const keyId = issuer.getExtension(SubjectKeyIdentifierExtension)?.keyId;
  const certificate = await X509CertificateGenerator.create({
    ...common(validity),
    subject,
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([...usages]),
      names,
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      keyId === undefined ? await AuthorityKeyIdentifierExtension.create(issuer.publicKey) : new AuthorityKeyIdentifierExtension(keyId),
    ],
  });
  return { certificate: pem(certificate), key: keyPem(keys.privateKey) };
}

function common({ notBefore, notAfter }: Validity) {
  return { serialNumber: serial(), notBefore: new Date(notBefore), notAfter: new Date(notAfter) };
}

/** 127 random bits; the first byte keeps the number positive and of full length. */
function serial(): string {
  return `4${randomBytes(16).toString('hex').slice(1)}`;
}

function pem(certificate: X509Certificate): string {
  return `${certificate.toString('pem').trimEnd()}\n`;
}

function keyPem(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString();
}

const curves: Readonly<Record<string, { readonly namedCurve: string; readonly hash: string }>> = {
  prime256v1: { namedCurve: 'P-256', hash: 'SHA-256' },
  secp384r1: { namedCurve: 'P-384', hash: 'SHA-384' },
  secp521r1: { namedCurve: 'P-521', hash: 'SHA-512' },
};

async function signer(key: string) {
  const signingAlgorithm = algorithmOf(createPrivateKey(key));
  const der = createPrivateKey(key).export({ type: 'pkcs8', format: 'der' });
  return { signingAlgorithm, signingKey: await subtle.importKey('pkcs8', der, signingAlgorithm, false, ['sign']) };
}

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject) {
  const curve = curves[asymmetricKeyDetails?.namedCurve ?? ''];
  if (asymmetricKeyType === 'ec' && curve) return { name: 'ECDSA', ...curve };
  if (asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  throw new Error(`the key of the authority is of the kind ${asymmetricKeyType}; use ECDSA (P-256, P-384, P-521) or RSA`);
}
