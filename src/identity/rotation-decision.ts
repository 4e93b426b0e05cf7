/** What a rotation does next, from what the store holds and what the mesh says of itself. Pure. */
import { fingerprintIn } from './pem.js';
import { phaseOf, type StoredAuthority } from './rotation-plan.js';

/** What one replica of Weft says of the certificates of its proxies. Fingerprints are those of `fingerprintIn`. */
export interface IdentityView {
  /** Who signs. */
  readonly signer: string;
  /** Whom proxies are told to trust. */
  readonly roots: readonly string[];
  /** How many proxies it has. */
  readonly proxies: number;
  /** How many of them have taken over these roots, and how many a certificate of this signer. */
  readonly trusting: number;
  readonly renewed: number;
  /** The first few that lack one of the two. */
  readonly behind: readonly string[];
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
  /** The roots by which sidecars check Weft itself: by the name of the ConfigMap. */
  readonly trust: readonly { readonly name: string; readonly roots: readonly string[] }[];
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
  const root = fingerprintIn(texts['next.crt'] ?? '');
  const unwritten = trust.filter(({ roots }) => !roots.includes(root)).map(({ name }) => `${name} does not hold the new root`);
  const unheard = replicas.flatMap((replica) =>
    lag(replica, ({ roots, proxies, trusting, behind }) => {
      if (!roots.includes(root)) return 'has not read the new root';
      return trusting < proxies ? `${proxies - trusting} of ${proxies} proxies have not taken over the new root: ${shown(behind)}` : undefined;
    }),
  );
  return [...nobody(replicas), ...unheard, ...unwritten, ...absence(absent)];
}

/** Who still has, or makes, certificates of the old authority. */
function unrenewed({ texts }: StoredAuthority, { replicas, absent }: MeshView): readonly string[] {
  const signer = fingerprintIn(texts['tls.crt'] ?? '');
  const late = replicas.flatMap((replica) =>
    lag(replica, ({ signer: own, proxies, renewed, behind }) => {
      if (own !== signer) return 'still signs with the old authority';
      return renewed < proxies ? `${proxies - renewed} of ${proxies} proxies have a certificate of the old authority: ${shown(behind)}` : undefined;
    }),
  );
  return [...nobody(replicas), ...late, ...absence(absent)];
}

function lag({ replica, identities, problem }: ReplicaView, judge: (identities: IdentityView) => string | undefined): readonly string[] {
  const trouble = problem ?? (identities ? judge(identities) : 'does not tell of certificates; is it of another version?');
  return trouble === undefined ? [] : [`${replica}: ${trouble}`];
}

function nobody(replicas: readonly ReplicaView[]): readonly string[] {
  return replicas.length === 0 ? ['no replica of Weft runs'] : [];
}

function absence(absent: readonly string[]): readonly string[] {
  return absent.length === 0 ? [] : [`${absent.length} pods with a sidecar are not connected: ${shown(absent.slice(0, 5))}`];
}

function shown(names: readonly string[]): string {
  return names.length === 0 ? '(names unknown)' : names.join(', ');
}
