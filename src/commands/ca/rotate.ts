/** Changes the root of the mesh, step by step, until it is done; whoever stops it in between can run it again. */
import { setTimeout as delay } from 'node:timers/promises';
import { decide, type MeshView, type RotationDecision } from '../../identity/rotation-decision.js';
import { begin, drop, phaseOf, type RotationStep, refusalOf, type StoredAuthority, sign } from '../../identity/rotation-plan.js';
import type { Pair } from '../../identity/x509.js';
import type { AuthorityPlace, Held } from './place.js';

/** How it is to go. */
export interface RotateOptions {
  readonly place: AuthorityPlace;
  /** The next authority, made when it is needed. */
  readonly makeNext: () => Promise<Pair>;
  /** Told of each step, and of each change of what is waited for. */
  readonly tell: (progress: Progress) => void;
  /** See `RotationRun`. */
  readonly settleMs: number;
  /** After so long it gives up, and may be run again. */
  readonly timeoutMs: number;
  /** Whether pods with a sidecar that is not connected are left to themselves. */
  readonly skipAbsent: boolean;
  /** How often it looks, in milliseconds. */
  readonly intervalMs: number;
  /** Milliseconds, from any beginning. */
  readonly now: () => number;
}

/** What is told. */
export interface Progress {
  readonly step: 'Begin' | 'Sign' | 'Drop' | 'Done' | 'Wait';
  readonly message: string;
}

const messages = {
  Begin: 'a new root is trusted beside the old one; it does not sign yet',
  Sign: 'the new authority signs; what the old one has signed is still trusted',
  Drop: 'all certificates are of the new authority, and the old root is trusted no more',
  Done: 'the root has been changed',
} as const;

/** Resolves when it is done. Rejects with an Error that says what to do when the authority is not Weft's to change, or the time is over. */
export async function rotate(options: RotateOptions): Promise<void> {
  const { place, tell, now, settleMs, skipAbsent } = options;
  const end = now() + options.timeoutMs;
  let settledSince: number | undefined;
  let isBegun = false;
  let told = '';
  for (;;) {
    const held = await place.read();
    refuse(held, place.name);
    isBegun ||= phaseOf(held) !== 'Idle';
    const settledMs = settledSince === undefined ? 0 : now() - settledSince;
    const decision = decide(held, await meshOf(held, place, skipAbsent), { isBegun, settledMs, settleMs });
    if (decision.next === 'Done') return tell({ step: 'Done', message: messages.Done });
    if (decision.next !== 'Wait') {
      const isWritten = await write(held, decision.next, options);
      isBegun ||= isWritten;
      settledSince = undefined;
      continue;
    }
    settledSince = decision.isSettling ? (settledSince ?? now()) : undefined;
    const words = wordsOf(decision);
    if (words !== told) tell({ step: 'Wait', message: words });
    told = words;
    if (now() >= end) throw new Error(`given up for now, and nothing is lost: run it again to go on. It waited for: ${decision.reasons.join('; ')}`);
    await delay(options.intervalMs);
  }
}

/** While nothing is under way, the mesh has no say. */
async function meshOf(held: StoredAuthority, place: AuthorityPlace, skipAbsent: boolean): Promise<MeshView> {
  if (phaseOf(held) === 'Idle') return { replicas: [], absent: [], trust: [] };
  const mesh = await place.mesh();
  return skipAbsent ? { ...mesh, absent: [] } : mesh;
}

function refuse(held: Held, name: string): void {
  const refusal = held.owner === undefined ? refusalOf(held, name) : `${name} is not Weft's to change: ${held.owner}`;
  if (refusal !== undefined) throw new Error(refusal);
}

/** Whoever was overtaken looks again. */
async function write(held: Held, next: 'Begin' | 'Sign' | 'Drop', { makeNext, tell }: RotateOptions): Promise<boolean> {
  const step = await stepOf(held, next, makeNext);
  const isWritten = await held.write(step);
  if (isWritten) tell({ step: next, message: messages[next] });
  return isWritten;
}

async function stepOf(held: Held, next: 'Begin' | 'Sign' | 'Drop', makeNext: () => Promise<Pair>): Promise<RotationStep> {
  if (next === 'Begin') return begin(held, await makeNext());
  return next === 'Sign' ? sign(held) : drop(held);
}

/** Seconds that pass are no news. */
function wordsOf({ isSettling, reasons }: Extract<RotationDecision, { readonly next: 'Wait' }>): string {
  return isSettling ? 'all have the new root; waiting until it has reached the files of pods' : reasons.join('; ');
}
