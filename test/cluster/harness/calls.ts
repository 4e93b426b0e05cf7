/** Calls made from inside a pod. */
import type { Call, HttpAnswer, HttpCall } from '../apps/call.js';
import type { Seen } from '../apps/http-app.js';
import type { Attempt, AttemptOutcome } from '../apps/stranger.js';
import { exec } from './kubectl.js';

/** Where calls come from; the container is one of the image of the apps. */
export interface Caller {
  readonly namespace: string;
  /** A pod's name, or `deploy/NAME` for any of its pods. */
  readonly pod: string;
}

/** Makes any call; resolves to what it came to. */
export async function call<T>({ namespace, pod }: Caller, what: Call): Promise<T> {
  return JSON.parse(await exec(namespace, pod, ['app', 'call', JSON.stringify(what)]));
}

/** One request. */
export function get(from: Caller, url: string, options: Omit<HttpCall, 'url' | 'agent'> = {}): Promise<HttpAnswer> {
  return call<HttpAnswer>(from, { http: { url, ...options } });
}

/** What the app saw of a request that succeeded. */
export async function seen(from: Caller, url: string, options: Omit<HttpCall, 'url' | 'agent'> = {}): Promise<Seen> {
  const { status, body } = await get(from, url, options);
  if (status !== 200) throw new Error(`${from.pod} called ${url} and got ${status} ${body}`);
  return JSON.parse(body);
}

/** Calls of Weft's own port, from a pod that has the trust of a sidecar. */
export async function attempt({ namespace, pod }: Caller, attempts: readonly Attempt[]): Promise<readonly AttemptOutcome[]> {
  return JSON.parse(await exec(namespace, pod, ['app', 'stranger', JSON.stringify(attempts)]));
}
