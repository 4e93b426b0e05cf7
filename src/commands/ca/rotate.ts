/** Changes the root of the mesh, step by step, until it is done; whoever stops it in between can run it again. */
import { setTimeout as delay } from 'node:timers/promises';
import { fingerprintIn } from '../../identity/pem.js';
import { clockTrouble, decide, leaveBehind, type MeshView, type RotationDecision, type RotationRun } from '../../identity/rotation-decision.js';
import { begin, drop, outgoing, phaseOf, type RotationStep, refusalOf, sign } from '../../identity/rotation-plan.js';
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
  /** Who is left behind: `shop/web-1` is a pod, `shop` is all of a namespace. */
  readonly skip: readonly string[];
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

/** Resolves when it is done. Rejects with an Error that says what to do when the authority is not Weft's to change, was put back meanwhile, or the time is over. */
export async function rotate(options: RotateOptions): Promise<void> {
  const { now, settleMs } = options;
  const wait = waiter(options);
  let settledSince: number | undefined;
  /** Who signs no more when it is done; nobody before it has begun. */
  const old = new Set<string>();
  for (;;) {
    const settledMs = settledSince === undefined ? 0 : now() - settledSince;
    const { held, mesh, decision } = await look(options, old, { settledMs, settleMs });
    if (decision.next === 'Done') return finish(held, old, options);
    if (decision.next !== 'Wait') {
      if (await write(held, mesh, decision.next, options)) remember(old, held);
      settledSince = undefined;
      continue;
    }
    settledSince = decision.isSettling ? (settledSince ?? now()) : undefined;
    await wait(decision);
  }
}

type Waiting = Extract<RotationDecision, { readonly next: 'Wait' }>;

/** Tells what is waited for when it is something new; rejects when the time is over. */
function waiter({ tell, now, timeoutMs, intervalMs }: RotateOptions): (waiting: Waiting) => Promise<void> {
  const end = now() + timeoutMs;
  let told = '';
  return async (waiting) => {
    const words = wordsOf(waiting);
    if (words !== told) tell({ step: 'Wait', message: words });
    told = words;
    if (now() >= end) throw new Error(`given up for now, and nothing is lost: run it again to go on. It waited for: ${waiting.reasons.join('; ')}`);
    await delay(intervalMs);
  };
}

async function meshOf({ place, skip, skipAbsent }: RotateOptions): Promise<MeshView> {
  const mesh = leaveBehind(await place.mesh(), skip);
  return skipAbsent ? { ...mesh, absent: [] } : mesh;
}

function remember(old: Set<string>, held: Held): void {
  for (const signer of outgoing(held)) old.add(signer);
}

async function look(options: RotateOptions, old: Set<string>, run: Omit<RotationRun, 'isBegun'>) {
  const { place } = options;
  const held = await place.read();
  refuse(held, place.name);
  if (phaseOf(held) !== 'Idle') remember(old, held);
  const mesh = await meshOf(options);
  return { held, mesh, decision: decide(held, mesh, { ...run, isBegun: old.size > 0 }) };
}

/** Nothing under way is the end only when somebody else signs than at the beginning. */
function finish({ texts }: Held, old: ReadonlySet<string>, { place, tell }: RotateOptions): void {
  if (!old.has(fingerprintIn(texts['tls.crt'] ?? ''))) return tell({ step: 'Done', message: messages.Done });
  const remedy = 'find who has done that (a restore from a backup, a tool that applies its own copy), keep it from that, and run this again';
  throw new Error(`${place.name} was put back while the root was being changed, and the old authority signs; ${remedy} (docs/certificates.md)`);
}

function refuse(held: Held, name: string): void {
  const refusal = held.owner === undefined ? refusalOf(held, name) : `${name} is not Weft's to change: ${held.owner}`;
  if (refusal !== undefined) throw new Error(refusal);
}

/** Whoever was overtaken looks again. */
async function write(held: Held, mesh: MeshView, next: 'Begin' | 'Sign' | 'Drop', { makeNext, tell }: RotateOptions): Promise<boolean> {
  const step = await stepOf(held, next, async () => checkedByClocks(await makeNext(), mesh));
  const isWritten = await held.write(step);
  if (isWritten) tell({ step: next, message: messages[next] });
  return isWritten;
}

async function stepOf(held: Held, next: 'Begin' | 'Sign' | 'Drop', makeNext: () => Promise<Pair>): Promise<RotationStep> {
  if (next === 'Begin') return begin(held, await makeNext());
  return next === 'Sign' ? sign(held) : drop(held);
}

/** A root that replicas would refuse is not even handed out. */
function checkedByClocks(pair: Pair, { replicas }: MeshView): Pair {
  for (const { replica, identities } of replicas) {
    const trouble = identities && clockTrouble(pair.certificate, identities.time);
    if (trouble !== undefined) throw new Error(`${replica}: ${trouble}; correct the clock of this machine, or that one. Nothing has been changed`);
  }
  return pair;
}

/** Seconds that pass are no news. */
function wordsOf({ isSettling, reasons }: Waiting): string {
  return isSettling ? 'all have the new root; waiting until it has reached the files of pods' : reasons.join('; ');
}
