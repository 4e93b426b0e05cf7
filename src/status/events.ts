/** Kubernetes Events (events.k8s.io/v1) about pods that are not meshed: once for each pod and reason, a few at a time. */
import { createHash } from 'node:crypto';
import { type KubeClient, KubeError } from '../kubernetes/api.js';
import { createBucket } from './bucket.js';
import { microTime } from './lease-object.js';
import type { Timers } from './timers.js';
import type { UnmeshedPod } from './unmeshed.js';

/** What the events are made with. */
export interface EventsOptions {
  readonly client: KubeClient;
  /** The name of this replica's pod. */
  readonly identity: string;
  readonly timers: Timers;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly onError: (error: unknown) => void;
}

/** Tells each pod once. */
export interface Events {
  /** The pods that are not meshed now. Those already told are passed over, those that cannot be told for now come with a later call. Never rejects. */
  readonly report: (pods: readonly UnmeshedPod[]) => Promise<void>;
}

/** Nobody has been told yet. */
export function createEvents(options: EventsOptions): Events {
  const told = new Set<string>();
  const bucket = createBucket(25, 1);
  return {
    report: async (pods) => {
      const byName = new Map(pods.map((pod) => [eventName(pod), pod]));
      for (const name of told) if (!byName.has(name)) told.delete(name);
      for (const [name, pod] of byName) {
        if (told.has(name)) continue;
        const isTold = bucket.take(options.timers.now()) === 0 && (await tell(options, name, pod));
        if (!isTold) return;
        told.add(name);
      }
    },
  };
}

/** The same for the same pod and reason, whichever replica tells: the API server then refuses the second one. */
function eventName({ pod, uid, reason }: UnmeshedPod): string {
  const name = pod.slice(pod.indexOf('/') + 1);
  const digest = createHash('sha256').update(`${uid} ${reason}`).digest('hex').slice(0, 16);
  return `${name.slice(0, 230)}.${digest}`;
}

/** False when it makes no sense to go on with others now. */
function tell(options: EventsOptions, name: string, { pod, uid, reason, message }: UnmeshedPod): Promise<boolean> {
  const slash = pod.indexOf('/');
  const namespace = pod.slice(0, slash);
  const regarding = { apiVersion: 'v1', kind: 'Pod', namespace, name: pod.slice(slash + 1), uid };
  return postEvent(options, { name, reason: 'NotMeshed', action: 'Inject', note: `${reason}: ${message}`, regarding });
}

/** One Event, as a warning about an object. */
export interface Warning {
  /** Of the Event: the same name is told once. */
  readonly name: string;
  readonly reason: string;
  readonly action: string;
  /** At most 1024 characters of it are told. */
  readonly note: string;
  /** Without a namespace for an object of the whole cluster. */
  readonly regarding: { readonly apiVersion: string; readonly kind: string; readonly namespace?: string; readonly name: string; readonly uid?: string };
}

/** Tells it in the namespace of its object; in `default`, as Kubernetes does, where that has none. False when it could not be told, and further ones could not either. Never rejects. */
export async function postEvent(
  { client, identity, clock, onError }: Omit<EventsOptions, 'timers'>,
  { name, note, reason, action, regarding }: Warning,
): Promise<boolean> {
  const { namespace = 'default' } = regarding;
  const body = {
    ...{ apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: { namespace, name }, eventTime: microTime(clock()), type: 'Warning' },
    ...{ reason, action, note: note.slice(0, 1024) },
    ...{ reportingController: 'weft.dev/controller', reportingInstance: identity.slice(0, 128) },
    regarding,
  };
  try {
    await client.request({ method: 'POST', path: `/apis/events.k8s.io/v1/namespaces/${namespace}/events`, body, timeoutMs: 5_000 });
    return true;
  } catch (error) {
    // Told by an earlier holder; or the namespace is on its way out.
    if (error instanceof KubeError && (error.status === 409 || error.status === 404)) return true;
    onError(error);
    return error instanceof KubeError && error.status === 403;
  }
}
