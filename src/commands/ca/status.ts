/** What `weft ca status` shows: the certificates of the authority, where a rotation stands, and what replicas say. */
import type { X509Certificate } from 'node:crypto';
import { fingerprintOf, readCertificates, validityOf } from '../../identity/pem.js';
import type { ReplicaView } from '../../identity/rotation-decision.js';
import { phaseOf, type RotationPhase, refusalOf } from '../../identity/rotation-plan.js';
import { formatTable } from '../table.js';
import type { AuthorityPlace, Held } from './place.js';

/** One certificate of the authority. */
interface CertificateRow {
  /** `signs`: the authority; `trusted`: a root that callers are checked by; `retiring`: one that goes at the end of the rotation; `next`: who signs next. */
  readonly role: 'signs' | 'trusted' | 'retiring' | 'next';
  /** SHA-256, in hexadecimal. */
  readonly fingerprint: string;
  readonly subject: string;
  /** RFC 3339. */
  readonly expires: string;
}

/** All of it. */
export interface AuthorityStatus {
  readonly place: string;
  readonly phase: RotationPhase;
  /** Why Weft does not rotate this authority; left out when it does. */
  readonly refusal?: string | undefined;
  readonly certificates: readonly CertificateRow[];
  readonly replicas: readonly ReplicaView[];
  readonly absent: readonly string[];
}

/** Reads everything; changes nothing. */
export async function authorityStatus(place: AuthorityPlace): Promise<AuthorityStatus> {
  const [held, { replicas, absent }] = await Promise.all([place.read(), place.mesh()]);
  const refusal = held.owner ?? refusalOf(held, place.name);
  return { place: place.name, phase: phaseOf(held), refusal, certificates: rowsOf(held), replicas, absent };
}

function rowsOf({ texts, retiring }: Held): readonly CertificateRow[] {
  const rows = (role: CertificateRow['role'], certificates: readonly X509Certificate[]) => certificates.map((certificate) => rowOf(role, certificate));
  const roots = readCertificates(texts['ca.crt'] || (texts['tls.crt'] ?? ''));
  const going = (root: X509Certificate) => retiring.includes(fingerprintOf(root));
  return [
    ...rows('signs', readCertificates(texts['tls.crt'] ?? '').slice(0, 1)),
    ...rows('next', readCertificates(texts['next.crt'] ?? '')),
    ...roots.map((root) => rowOf(going(root) ? 'retiring' : 'trusted', root)),
  ];
}

function rowOf(role: CertificateRow['role'], certificate: X509Certificate): CertificateRow {
  const { notAfter } = validityOf(certificate);
  const subject = certificate.subject.replaceAll('\n', ', ');
  return { role, fingerprint: fingerprintOf(certificate), subject, expires: new Date(notAfter).toISOString().replace(/\.\d+Z$/, 'Z') };
}

const soonMs = 30 * 24 * 60 * 60_000;

/** Whether something asks for attention: an unfinished rotation, a replica that does not answer, or a certificate that is in use and ends within 30 days. */
export function isTroubled({ phase, certificates, replicas }: AuthorityStatus, now: number): boolean {
  const ends = certificates.some(({ role, expires }) => role === 'signs' && Date.parse(expires) - now < soonMs);
  return phase !== 'Idle' || ends || replicas.some(({ problem }) => problem !== undefined);
}

const phases = {
  Idle: 'No rotation is under way.',
  Distributing: 'A rotation is under way: the new root is being handed out, and does not sign yet. weft ca rotate goes on with it.',
  Renewing: 'A rotation is under way: the new authority signs, and certificates are being renewed. weft ca rotate goes on with it.',
} as const;

/** For people. */
export function formatAuthority({ place, phase, refusal, certificates, replicas, absent }: AuthorityStatus): string {
  const rows = certificates.map(({ role, fingerprint, subject, expires }) => [role, fingerprint.slice(0, 16), subject, expires]);
  const parts = [
    `The authority is in ${place}. ${phases[phase]}\n${refusal === undefined ? '' : `weft ca rotate leaves it alone: ${refusal}\n`}`,
    formatTable(['role', 'fingerprint', 'subject', 'expires'], rows),
    formatTable(['replica', 'signs with', 'proxies', 'trust the roots', 'renewed', 'problem'], replicas.map(replicaCells)),
    absent.length === 0 ? '' : `Pods with a sidecar that is not connected: ${absent.join(', ')}\n`,
  ];
  return parts.filter(Boolean).join('\n');
}

function replicaCells({ replica, identities, problem }: ReplicaView): readonly string[] {
  if (!identities) return [replica, '-', '-', '-', '-', problem ?? 'does not tell of certificates'];
  const { signer, proxies, untrusting, unrenewed } = identities;
  return [replica, signer.slice(0, 16), String(proxies), String(proxies - untrusting.length), String(proxies - unrenewed.length), problem ?? '-'];
}
