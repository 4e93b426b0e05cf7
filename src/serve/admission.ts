/** The door of the server: each call is checked, no caller can make the server check without end, and every refusal is told. */
import type { ServeLimits } from './limits.js';
import { type Authenticate, type Bearer, type CallMetadata, isRefusal, type Refusal } from './subject.js';

/** A call that has been refused, or a stream that has been ended. */
export interface RefusedCall<Subject> extends Refusal {
  /** `/service/method`. */
  readonly method: string;
  /** The address of the caller. */
  readonly peer: string;
  /** Who it was, where that had been found out. */
  readonly subject?: Subject | undefined;
}

/** Asks who a caller is. Never rejects. */
export type Admit<Subject> = (metadata: CallMetadata, peer: string, how?: 'Anew') => Promise<Subject | Refusal>;

/** A door that asks `authenticate`, within the limits. */
export function createAdmission<Subject extends Bearer>(authenticate: Authenticate<Subject>, limits: ServeLimits): Admit<Subject> {
  const checking = new Map<string, number>();
  return async (metadata, peer, how) => {
    const host = peer.replace(/:\d+$/, '');
    const others = checking.get(host) ?? 0;
    if (others >= limits.checksPerPeer) return { refused: 'RESOURCE_EXHAUSTED', reason: `${others} calls of this address are being checked already` };
    checking.set(host, others + 1);
    try {
      return await withinTime(authenticate(metadata, peer, how), limits.checkMs);
    } catch (error) {
      return { refused: 'UNAVAILABLE', reason: 'the credential could not be checked; try again', detail: String(error) };
    } finally {
      leave(checking, host);
    }
  };
}

function leave(checking: Map<string, number>, host: string): void {
  const left = (checking.get(host) ?? 1) - 1;
  if (left > 0) checking.set(host, left);
  else checking.delete(host);
}

async function withinTime<Answer extends object>(answer: Promise<Answer>, ms: number): Promise<Answer | Refusal> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Refusal>((resolve) => {
    timer = setTimeout(() => resolve({ refused: 'UNAVAILABLE', reason: 'the check of the credential takes too long; try again' }), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What an admitted caller is, for the log. */
export function subjectOf<Subject extends object>(answer: Subject | Refusal): Subject | undefined {
  return isRefusal(answer) ? undefined : answer;
}
