/** Asks the API server now and then whether it is there, so that dead connections are noticed and its return is not slept through. */
import { type KubeClient, KubeError } from '../../kubernetes/api.js';
import type { Clock } from './clock.js';
import type { Reflector } from './reflector.js';

/** How often is looked, in milliseconds: while all is well, and while the API server does not answer. */
const calmMs = 10_000;
const anxiousMs = 2_000;

/** How long an answer may take. */
const answerMs = 5_000;

/** A watch that hears nothing for so long is dead: the API server sends a bookmark every minute. */
const silentMs = 90_000;

/** What the heartbeat looks after. */
export interface HeartbeatOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly reflectors: readonly Reflector[];
  readonly signal: AbortSignal;
}

/** Beats until the signal is aborted. */
export async function beat(options: HeartbeatOptions): Promise<void> {
  const { clock, reflectors, signal } = options;
  let awaySince: number | undefined;
  while (!signal.aborted) {
    const begin = clock.now();
    await clock.sleep(awaySince === undefined ? calmMs : anxiousMs, signal);
    for (const reflector of reflectors) reflector.renew(clock.now() - silentMs);
    const isHeard = awaySince === undefined && reflectors.some((reflector) => hasHeard(reflector, begin));
    if (!isHeard) awaySince = await look(options, begin, awaySince);
  }
}

/** Since when the API server is away: `begin` where it has just gone, undefined where it is there (again). */
async function look({ client, reflectors, signal }: HeartbeatOptions, begin: number, awaySince: number | undefined): Promise<number | undefined> {
  if (!(await answers(client, signal))) return awaySince ?? begin;
  if (awaySince !== undefined) comeBack(reflectors, awaySince);
  return undefined;
}

function hasHeard(reflector: Reflector, since: number): boolean {
  const { lastEvent } = reflector.state();
  return lastEvent !== undefined && lastEvent > since;
}

/** What a watch should have heard meanwhile may be stuck in a connection that both sides still take for sound. */
function comeBack(reflectors: readonly Reflector[], awaySince: number): void {
  for (const reflector of reflectors) {
    reflector.wake();
    reflector.renew(awaySince);
  }
}

/** Everybody may ask for the version; a refusal is an answer too. */
function answers(client: KubeClient, signal: AbortSignal): Promise<boolean> {
  return client.request({ method: 'GET', path: '/version', signal, timeoutMs: answerMs }).then(
    () => true,
    (error: unknown) => error instanceof KubeError && error.status < 500,
  );
}
