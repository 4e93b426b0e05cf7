/** Requests at a steady rate, whatever becomes of those before; each has to succeed. */
import { once } from 'node:events';
import { Agent, createServer } from 'node:http';
import { fetchText } from './call.js';
import { askGrpc, openGrpc } from './grpc-app.js';

/** A destination: `http://` or `grpc://`. */
export interface LoadTarget {
  readonly url: string;
  readonly perSecond: number;
  /** Makes a connection for each request instead of keeping a few. */
  readonly fresh?: boolean;
}

/** What became of the requests since the last count. */
export interface LoadCount {
  readonly sent: number;
  readonly failed: number;
  /** How often each kind of failure came, and when it came first. */
  readonly failures: Readonly<Record<string, { readonly count: number; readonly first: string }>>;
  /** How many answers came from each `x-version`. */
  readonly versions: Readonly<Record<string, number>>;
  /** How many answers had each `x-revision`. */
  readonly revisions: Readonly<Record<string, number>>;
  /** The longest time to an answer. */
  readonly slowestMs: number;
}

/** Where a load is asked for its count, on loopback; the answer comes once all that was sent has been answered. */
export const countPort = 9100;

/** Reads a list of targets. */
export function readLoad(json: string): readonly LoadTarget[] {
  return JSON.parse(json);
}

interface Outcome {
  readonly failure?: string;
  readonly version?: string;
  readonly revision?: string;
}

/** Begins, and never ends by itself. */
export async function startLoad(targets: readonly LoadTarget[]): Promise<void> {
  const tally = createTally();
  for (const target of targets) {
    const name = `${target.url}${target.fresh ? ' (fresh connection)' : ''}`;
    const ask = asker(target);
    keepPace(target.perSecond, (turn) => tally.add(name, ask(turn)));
  }
  createServer((_, response) => void tally.count().then((count) => response.end(JSON.stringify(count)))).listen(countPort, '127.0.0.1');
  await once(process, 'SIGTERM');
  process.exit(0);
}

/** Timers of a busy machine come late: what is due by then is sent all the same. */
function keepPace(perSecond: number, send: (turn: number) => void): void {
  const begin = performance.now();
  let sent = 0;
  setInterval(() => {
    const due = Math.floor(((performance.now() - begin) / 1000) * perSecond);
    while (sent < due) send(sent++);
  }, 1000 / perSecond);
}

/** Every second request is a POST of 1,000 bytes. */
function asker({ url, fresh }: LoadTarget): (turn: number) => Promise<Outcome> {
  const { protocol, host } = new URL(url);
  if (protocol === 'grpc:') {
    const client = openGrpc(host);
    return async (turn) => {
      const answer = await askGrpc(client, String(turn));
      return answer === `heard ${turn}` ? {} : { failure: `answered ${answer}` };
    };
  }
  const agent = fresh ? undefined : new Agent({ keepAlive: true, maxSockets: 100 });
  return async (turn) => {
    const { status, headers, body } = await fetchText({ url, agent, ...(turn % 2 === 0 ? {} : { bodyLength: 1000 }) });
    if (status !== 200) return { failure: `${status} ${body.slice(0, 200)}` };
    return { version: headers['x-version'] ?? '', revision: headers['x-revision'] ?? '' };
  };
}

function createTally() {
  const underWay = new Set<Promise<void>>();
  let current = empty();
  return {
    add: (target: string, request: Promise<Outcome>) => {
      current.sent++;
      const begin = performance.now();
      const one = request
        .catch((error: unknown): Outcome => ({ failure: String(error) }))
        .then((outcome) => {
          underWay.delete(one);
          record(current, target, outcome, performance.now() - begin);
        });
      underWay.add(one);
    },
    count: async (): Promise<LoadCount> => {
      await Promise.all(underWay);
      const counted = current;
      current = empty();
      return counted;
    },
  };
}

interface Tally {
  sent: number;
  failed: number;
  readonly failures: Record<string, { readonly count: number; readonly first: string }>;
  readonly versions: Record<string, number>;
  readonly revisions: Record<string, number>;
  slowestMs: number;
}

const empty = (): Tally => ({ sent: 0, failed: 0, failures: {}, versions: {}, revisions: {}, slowestMs: 0 });

function record(tally: Tally, target: string, { failure, version, revision }: Outcome, ms: number): void {
  tally.slowestMs = Math.max(tally.slowestMs, Math.round(ms));
  if (failure !== undefined) {
    tally.failed++;
    const kind = `${target}: ${failure}`;
    tally.failures[kind] = { count: (tally.failures[kind]?.count ?? 0) + 1, first: tally.failures[kind]?.first ?? new Date().toISOString() };
  }
  if (version) tally.versions[version] = (tally.versions[version] ?? 0) + 1;
  if (revision) tally.revisions[revision] = (tally.revisions[revision] ?? 0) + 1;
}
