/** What a rotation does next, from what the store holds and what the mesh says of itself. Pure. */
import { fingerprintIn, readCertificates, validityOf } from './pem.js';
import { phaseOf, type StoredAuthority } from './rotation-plan.js';

/** What one replica of Weft says of the certificates of its proxies. Fingerprints are those of `fingerprintIn`. */
export interface IdentityView {
  /** Who signs. */
  readonly signer: string;
  /** Whom proxies are told to trust. */
  readonly roots: readonly string[];
  /** What its clock says, in milliseconds since 1970. */
  readonly time: number;
  /** How many proxies it has. */
  readonly proxies: number;
  /** Those of them that have not taken over these roots, and those without a certificate of this signer: `shop/web-1`. */
  readonly untrusting: readonly string[];
  readonly unrenewed: readonly string[];
}

/** A replica, and what it says or why it says nothing. */
export interface ReplicaView {
  readonly replica: string;
  readonly identities?: IdentityView | undefined;
  readonly problem?: string | undefined;
}

/** The mesh, as far as a rotation is concerned. */
export interface MeshView {
  readonly replicas: readonly ReplicaView[];
  /** Pods with a sidecar that has a stream with no replica. */
  readonly absent: readonly string[];
  /** By what sidecars check Weft itself. */
  readonly trust: readonly TrustView[];
}

/** The ConfigMap `weft-ca` of a namespace: its roots, or what is wrong with it. */
export interface TrustView {
  readonly namespace: string;
  readonly roots: readonly string[];
  readonly problem?: string | undefined;
}

/** How a rotation goes. */
export interface RotationRun {
  /** Whether this run has found, or begun, a rotation. */
  readonly isBegun: boolean;
  /** For how long nothing has been waited for, in milliseconds. */
  readonly settledMs: number;
  /** How long that has to be before the next authority signs: so late a file in a pod may change after its ConfigMap. */
  readonly settleMs: number;
}

/** What comes next; `reasons` say what is waited for. */
export type RotationDecision =
  | { readonly next: 'Begin' | 'Sign' | 'Drop' | 'Done' }
  /** `isSettling`: everybody has it as far as can be seen, and only time has to pass. */
  | { readonly next: 'Wait'; readonly isSettling: boolean; readonly reasons: readonly string[] };

/** The mesh without those that an operator leaves behind: `shop/web-1` is a pod, `shop` is all of a namespace. */
export function leaveBehind({ replicas, absent, trust }: MeshView, skipped: readonly string[]): MeshView {
  const stays = (pod: string) => !skipped.some((one) => pod === one || pod.startsWith(`${one}/`));
  const others = (view: IdentityView) => ({ ...view, untrusting: view.untrusting.filter(stays), unrenewed: view.unrenewed.filter(stays) });
  return {
    replicas: replicas.map((replica) => (replica.identities ? { ...replica, identities: others(replica.identities) } : replica)),
    absent: absent.filter(stays),
    trust: trust.filter(({ namespace }) => !skipped.includes(namespace)),
  };
}

/** Why this replica would not take that certificate for good, by its clock; undefined when it would. */
export function clockTrouble(certificate: string, time: number): string | undefined {
  const [root] = readCertificates(certificate);
  const { notBefore, notAfter } = root ? validityOf(root) : { notBefore: 0, notAfter: Number.POSITIVE_INFINITY };
  if (notBefore <= time && time < notAfter) return undefined;
  const span = time < notBefore ? `is good from ${rfc3339(notBefore)} only` : `has ended at ${rfc3339(notAfter)}`;
  return `by its clock the new root ${span}`;
}

function rfc3339(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Decides. */
export function decide(stored: StoredAuthority, mesh: MeshView, { isBegun, settledMs, settleMs }: RotationRun): RotationDecision {
  const phase = phaseOf(stored);
  if (phase === 'Idle') return { next: isBegun ? 'Done' : 'Begin' };
  const reasons = phase === 'Distributing' ? untrusting(stored, mesh) : unrenewed(stored, mesh);
  if (reasons.length > 0) return { next: 'Wait', isSettling: false, reasons };
  if (phase === 'Renewing') return { next: 'Drop' };
  if (settledMs >= settleMs) return { next: 'Sign' };
  const left = Math.ceil((settleMs - settledMs) / 1000);
  return { next: 'Wait', isSettling: true, reasons: [`${left} s more, in which the new root reaches the files of pods`] };
}

/** Who does not trust the next authority yet. */
function untrusting({ texts }: StoredAuthority, { replicas, absent, trust }: MeshView): readonly string[] {
  const next = texts['next.crt'] ?? '';
  const root = fingerprintIn(next);
  const unwritten = trust.flatMap(({ namespace, roots, problem }) => {
    const what = problem ?? (roots.includes(root) ? undefined : 'does not hold the new root');
    return what === undefined ? [] : [`ConfigMap ${namespace}/weft-ca ${what} (Weft writes it every minute; see who else does, or --skip ${namespace})`];
  });
  const unheard = replicas.flatMap((replica) =>
    lag(replica, ({ roots, time, proxies, untrusting: late }) => {
      if (!roots.includes(root)) return 'has not read the new root';
      return clockTrouble(next, time) ?? lateness(late, proxies, 'have not taken over the new root');
    }),
  );
  return [...nobody(replicas), ...unheard, ...unwritten, ...absence(absent)];
}

/** Who still has, or makes, certificates of the old authority. */
function unrenewed({ texts }: StoredAuthority, { replicas, absent }: MeshView): readonly string[] {
  const signer = fingerprintIn(texts['tls.crt'] ?? '');
  const unheard = replicas.flatMap((replica) =>
    lag(replica, ({ signer: own, proxies, unrenewed: late }) => {
      if (own !== signer) return 'still signs with the old authority';
      return lateness(late, proxies, 'have a certificate of the old authority');
    }),
  );
  return [...nobody(replicas), ...unheard, ...absence(absent)];
}

const remedy = 'start them anew or delete them, or leave them behind with --skip NAMESPACE/POD';

function lateness(late: readonly string[], proxies: number, what: string): string | undefined {
  return late.length === 0 ? undefined : `${late.length} of ${proxies} proxies ${what}: ${shown(late)} (if that lasts: ${remedy})`;
}

function lag({ replica, identities, problem }: ReplicaView, judge: (identities: IdentityView) => string | undefined): readonly string[] {
  const trouble = problem ?? (identities ? judge(identities) : 'does not tell of certificates; is it of another version?');
  return trouble === undefined ? [] : [`${replica}: ${trouble}`];
}

function nobody(replicas: readonly ReplicaView[]): readonly string[] {
  return replicas.length === 0 ? ['no replica of Weft runs'] : [];
}

function absence(absent: readonly string[]): readonly string[] {
  return absent.length === 0 ? [] : [`${absent.length} pods with a sidecar are not connected: ${shown(absent)} (${remedy}, or all with --skip-absent)`];
}

const mostShown = 5;

function shown(names: readonly string[]): string {
  const unique = [...new Set(names)];
  const more = unique.length - mostShown;
  return `${unique.slice(0, mostShown).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
