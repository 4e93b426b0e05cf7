/** One TokenReview: the API server says whose token it is, and its answer is read with suspicion. */
import { type KubeClient, KubeError } from '../kubernetes/api.js';
import { isPlain, textOf } from '../kubernetes/plain.js';
import type { BearerToken } from './bearer-token.js';
import { type PodSubject, type Refusal, unauthenticated, unavailable } from './subject.js';

const path = '/apis/authentication.k8s.io/v1/tokenreviews';

/** How long the API server may take, in milliseconds. */
const timeoutMs = 10_000;

const away = 'the API server cannot say now whether the token is good; try again';

/** Asks the API server. Only a clear word of it is a verdict; when it is away, or refuses to answer, that is `UNAVAILABLE`. */
export async function review(client: KubeClient, audience: string, bearer: BearerToken): Promise<PodSubject | Refusal> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: bearer.token, audiences: [audience] } };
  try {
    const answer = await client.request({ method: 'POST', path, body, timeoutMs });
    return verdict(isPlain(answer) ? answer['status'] : undefined, audience, bearer);
  } catch (error) {
    return unavailable(away, explain(error));
  }
}

function explain(error: unknown): string {
  const isForbidden = error instanceof KubeError && error.status === 403;
  return isForbidden ? `${error.message}; Weft's ServiceAccount needs the verb create on tokenreviews.authentication.k8s.io` : String(error);
}

function verdict(status: unknown, audience: string, { expiresAt }: BearerToken): PodSubject | Refusal {
  if (!isPlain(status)) return unavailable(away, 'the answer to the TokenReview has no status');
  if (status['authenticated'] !== true) {
    const reason = `the token is not good: it has expired, its pod is gone, it is for another audience than ${audience}, or it is of another cluster`;
    return unauthenticated(reason, textOf(status, 'error'));
  }
  const audiences = status['audiences'];
  if (!Array.isArray(audiences) || !audiences.includes(audience)) return unauthenticated(`the token is not for the audience ${audience}`);
  return subject(status['user'], expiresAt);
}

function subject(user: unknown, expiresAt: number): PodSubject | Refusal {
  const [, namespace, serviceAccount] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(textOf(user, 'username')) ?? [];
  const extra = isPlain(user) ? user['extra'] : undefined;
  const pod = only(extra, 'authentication.kubernetes.io/pod-name');
  const uid = only(extra, 'authentication.kubernetes.io/pod-uid');
  if (!namespace || !serviceAccount) return unauthenticated('the token is of no ServiceAccount');
  if (!pod || !uid) return unauthenticated('the token is bound to no pod; mount a projected ServiceAccount token');
  return { id: `${namespace}/${pod}`, namespace, pod, uid, serviceAccount, expiresAt };
}

/** The one value of an extra field. */
function only(extra: unknown, key: string): string | undefined {
  const values: unknown = isPlain(extra) ? extra[key] : undefined;
  const [value, ...more]: readonly unknown[] = Array.isArray(values) ? values : [];
  return typeof value === 'string' && more.length === 0 ? value : undefined;
}
