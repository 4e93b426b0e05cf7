/** The route of the validating webhook: an AdmissionReview in, the verdict on a TrafficPolicy out. */
import { reviewPolicy } from '../features/review.js';
import { type AdmissionAnswer, type AdmissionRequest, readReview, reviewOf } from '../webhook/admission.js';
import type { HttpsRoute } from '../webhook/server.js';

/** What happens at `/validate`; 400 for what is no AdmissionReview. `onAnswer` hears the verdict and how many seconds it took. */
export function measuredValidateRoute(onAnswer: (outcome: 'allowed' | 'denied', seconds: number) => void): HttpsRoute {
  return async ({ body }) => {
    const begin = performance.now();
    const request = readReview(body);
    if (typeof request === 'string') return { status: 400, body: `${request}\n` };
    const answer = judge(request);
    onAnswer(answer.allowed ? 'allowed' : 'denied', (performance.now() - begin) / 1_000);
    return { status: 200, body: reviewOf(request.uid, answer) };
  };
}

/** The same, unheard. */
export const validateRoute: HttpsRoute = measuredValidateRoute(() => undefined);

/** Other kinds, deletions and sub-resources are none of our business. */
function judge({ kind, subResource, object, oldObject }: AdmissionRequest): AdmissionAnswer {
  if (kind !== 'TrafficPolicy' || subResource !== '' || object === undefined) return { allowed: true };
  return reviewPolicy(object, oldObject);
}
