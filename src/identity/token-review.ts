/** Who sends a projected ServiceAccount token. The API server is asked seldom: verdicts are remembered, and one question is asked once at a time. */
import { createHash } from 'node:crypto';
import type { KubeClient } from '../kubernetes/api.js';
import { type BearerToken, readBearer } from './bearer-token.js';
import { createPace, type PaceLimits } from './pace.js';
import { review } from './review.js';
import { isRefusal, type PodSubject, type Refusal, unauthenticated, unavailable } from './subject.js';
import { createVerdictCache } from './verdict-cache.js';

/** What an authenticator is made of. */
export interface TokenAuthenticatorOptions {
  readonly client: KubeClient;
  /** The audience that tokens must be made for. */
  readonly audience: string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /**
   * The uid of the Pod of that name, undefined while there is none. Without it the TokenReview decides alone. A pod that is
   * not known, or known with another uid, is asked to come back rather than refused: either the watch is behind, and the next
   * attempt of its Envoy, half a second later, finds it; or the pod is gone, and the API server says so.
   */
  readonly podUid?: ((namespace: string, pod: string) => string | undefined) | undefined;
  readonly pace?: PaceLimits | undefined;
}

/** Takes all the values of an `authorization` header. `Anew` asks the API server whatever is remembered. Never rejects. */
export type TokenAuthenticator = (authorization: readonly (string | Buffer)[], how?: 'Anew') => Promise<PodSubject | Refusal>;

/** Enough for the sidecars of a large cluster to come back within half a minute, and no burden on its API server. */
const defaultPace: PaceLimits = { atOnce: 50, perSecond: 500, waiting: 10_000 };

/** How long a verdict is remembered, in milliseconds; a good one no longer than its token lives. */
const goodMs = 5 * 60_000;
const badMs = 10_000;

/** An authenticator that has not asked anything yet. */
export function createTokenAuthenticator({ client, audience, clock, podUid, pace }: TokenAuthenticatorOptions): TokenAuthenticator {
  const good = createVerdictCache<PodSubject>(50_000, clock);
  const bad = createVerdictCache<Refusal>(5_000, clock);
  const asked = new Map<string, Promise<PodSubject | Refusal>>();
  const { run } = createPace(pace ?? defaultPace);

  async function ask(key: string, bearer: BearerToken): Promise<PodSubject | Refusal> {
    const reviewed = await run(async () => ({ verifiedAt: clock(), verdict: await review(client, audience, bearer) }));
    if (!reviewed) return unavailable('too many tokens are being checked; try again');
    const { verdict, verifiedAt } = reviewed;
    if (isRefusal(verdict)) return refuse(key, verdict);
    const subject = { ...verdict, verifiedAt };
    good.set(key, subject, Math.min(verdict.expiresAt, verifiedAt + goodMs));
    return subject;
  }

  /** What was good once, and was taken back, is good for nothing more. */
  function refuse(key: string, verdict: Refusal): Refusal {
    if (verdict.refused !== 'UNAUTHENTICATED') return verdict;
    good.delete(key);
    bad.set(key, verdict, clock() + badMs);
    return verdict;
  }

  function askOnce(key: string, bearer: BearerToken): Promise<PodSubject | Refusal> {
    const pending = asked.get(key) ?? ask(key, bearer).finally(() => asked.delete(key));
    asked.set(key, pending);
    return pending;
  }

  return async (authorization, how) => {
    const bearer = readBearer(authorization);
    if (isRefusal(bearer)) return bearer;
    if (bearer.expiresAt <= clock()) return unauthenticated('the token has expired; send the one that the kubelet has put in its place');
    const key = createHash('sha256').update(bearer.token).digest('base64');
    const remembered = how === 'Anew' ? undefined : (good.get(key) ?? bad.get(key));
    const verdict = remembered ?? (await askOnce(key, bearer));
    if (isRefusal(verdict)) return verdict;
    const absence = podUid && missing(verdict, podUid(verdict.namespace, verdict.pod));
    if (absence) good.delete(key);
    return absence ?? verdict;
  };
}

function missing({ id, uid }: PodSubject, known: string | undefined): Refusal | undefined {
  if (known === uid) return undefined;
  if (known === undefined) return unavailable(`the pod ${id} is not known here, or no more; try again`);
  return unavailable(`the pod ${id} of this token is not the one that is known here; try again`, `its uid is ${uid}, that of the known one is ${known}`);
}
