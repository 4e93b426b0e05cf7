/** The gRPC port over a core: what both modes say of it. */
import type { Audience } from '../../compile/contract.js';
import { may } from '../../identity/may.js';
import type { Secrets } from '../../identity/secrets.js';
import { createGathered } from '../../observe/gathered.js';
import type { RefusedCall } from '../../serve/admission.js';
import type { AdsContext } from '../../serve/ads.js';
import { createScheduler } from '../../serve/scheduler.js';
import type { Bearer } from '../../serve/subject.js';
import type { Core } from './core.js';

/** What the streams of the port share, but for how a node is judged. Without Secrets nobody may ask for one. */
export function adsContext({ controller, registry, logger }: Core, secrets: Secrets | undefined): Omit<AdsContext<Audience, object>, 'classify' | 'maySee'> {
  const tellRejection = createGathered<Rejection>({
    keyOf: ({ proxy, typeUrl }) => `${proxy} ${typeUrl}`,
    tell: (rejection, more) => logger.warn({ ...rejection, ...countOf(more) }, 'a proxy has rejected a resource'),
  });
  return {
    may: (subject, type, name) => may(secrets && subject, type, name),
    onDenied: (node, type, name) => logger.warn({ proxy: node.id, type, name }, 'a proxy has asked for what it may not have, and gets no answer'),
    enter: ({ audience }) => secrets?.hold(audience) ?? (() => undefined),
    scopes: controller.scopes,
    registry,
    scheduler: createScheduler(),
    clock: Date.now,
    onDefect: (error) => logger.error({ error: String(error) }, 'a stream was ended by a defect of Weft'),
    onRefusal: (node, typeUrl, message) => tellRejection({ proxy: node.id, typeUrl, message }),
  };
}

interface Rejection {
  readonly proxy: string | undefined;
  readonly typeUrl: string;
  readonly message: string;
}

/** Logs calls that are refused and streams that are ended. Whoever calls decides how often that is, so that what repeats from an address, or for a pod, is told once a second. */
export function logRefusals({ logger }: Pick<Core, 'logger'>): (call: RefusedCall<Bearer>) => void {
  return createGathered<RefusedCall<Bearer>>({
    keyOf: ({ refused, peer, subject }) => `${refused} ${subject?.id ?? peer.replace(/:\d+$/, '')}`,
    tell: ({ refused, reason, detail, method, peer, subject }, more) =>
      logger.warn({ code: refused, reason, detail, method, peer, pod: subject?.id, ...countOf(more) }, 'a call has been refused, or a stream ended'),
  });
}

/** How many others like it a line stands for. */
function countOf(more: number): { readonly more?: number } {
  return more > 0 ? { more } : {};
}
