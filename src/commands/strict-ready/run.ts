/** `weft check --strict-ready`: who still calls in plaintext, from what the sidecars have seen. */
import type { KubeClient } from '../../kubernetes/api.js';
import { parseDuration } from '../../model/duration.js';
import { plaintextMemory, plaintextSightings } from '../../model/plaintext.js';
import type { StrictReadiness } from './format.js';
import { exposuresOf, judge, podsToAsk, type Question } from './readiness.js';
import { askSidecars } from './sidecar.js';
import { readWorld } from './world.js';

/** Where is looked, and what is asked. */
export interface StrictReadyOptions extends Question {
  /** That of the Services; undefined for all. */
  readonly namespace: string | undefined;
}

/** Looks at all Services of a namespace, or of all; nothing is changed. Rejects when the API server cannot be reached, or refuses to list. */
export async function strictReadiness(client: KubeClient, { namespace, ...question }: StrictReadyOptions): Promise<StrictReadiness> {
  const world = await readWorld(client);
  const isChosen = (one: string) => namespace === undefined || one === namespace;
  const exposures = exposuresOf(world, isChosen);
  const answers = await askSidecars(client, podsToAsk(exposures));
  const chosen = world.services.filter((service) => isChosen(service.namespace));
  const services = judge(world, chosen, exposures, answers, question);
  const isEmpty = services.every(({ verdict }) => verdict === 'Unmeshed');
  return { services, problems: [...world.problems, ...(isEmpty ? [nothingToLookAt(namespace)] : [])] };
}

function nothingToLookAt(namespace: string | undefined): string {
  return `${namespace === undefined ? 'No Service' : `No Service of namespace ${namespace}`} has a Pod with a sidecar, so nothing was seen`;
}

/** 0: all is ready; 1: somebody still calls in plaintext; 3: nobody was seen, but not all is known. */
export function exitCodeOf({ services, problems }: StrictReadiness): 0 | 1 | 3 {
  const verdicts = services.map(({ verdict }) => verdict);
  if (verdicts.includes('NotReady')) return 1;
  return verdicts.includes('Unknown') || problems.length > 0 ? 3 : 0;
}

/** What `--since` says, in milliseconds; without it all that sidecars remember. Throws an Error that says what to write. */
export function readSince(text = '24h'): number {
  const [least, most] = [2 * plaintextSightings, 2 * plaintextMemory];
  return readDuration('--since', text, least, most, 'from 1m to 24h');
}

/** What `--watched` says, in milliseconds. Throws an Error that says what to write. */
export function readWatched(text: string): number {
  return readDuration('--watched', text, 0, plaintextMemory, 'up to 12h, which is how long sidecars remember');
}

function readDuration(flag: string, text: string, least: number, most: number, bounds: string): number {
  const duration = parseDuration(text);
  if (duration === undefined || duration < least * 1000 || duration > most * 1000)
    throw new Error(`${flag} is ${JSON.stringify(text)}; write a duration ${bounds}, such as 30m`);
  return duration;
}
