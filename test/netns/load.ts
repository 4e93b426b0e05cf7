/** Requests and connections at a steady rate from inside a namespace, each of which has to succeed. */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What came of the load. */
export interface LoadCount {
  readonly requests: number;
  readonly connections: number;
  /** When, and what came instead of an answer, for the first ten. */
  readonly failures: readonly string[];
}

/** Where the load goes: HTTP and TCP at one address. */
export interface LoadOptions {
  readonly address: string;
  readonly httpPort: number;
  readonly tcpPort: number;
  readonly perSecond: number;
}

interface Load {
  readonly count: () => LoadCount;
  readonly stop: () => Promise<LoadCount>;
}

let load: Load | undefined;
const patience = 15_000;

/** Begins: requests in turn over kept connections and over new ones, and a TCP connection for every fourth, whatever becomes of those before. */
export function startLoad({ address, httpPort, tcpPort, perSecond }: LoadOptions): void {
  const kept = new Agent({ keepAlive: true });
  const underWay = new Set<Promise<void>>();
  const failures: string[] = [];
  let [turn, requests, connections] = [0, 0, 0];
  const watch = (what: Promise<void>) => {
    const one: Promise<void> = what
      .catch((error: unknown) => void (failures.length < 10 && failures.push(`${new Date().toISOString()} ${error}`)))
      .finally(() => underWay.delete(one));
    underWay.add(one);
  };
  const timer = setInterval(() => {
    const own = turn++;
    watch(get(address, httpPort, own % 2 === 0 ? kept : false).then(() => void requests++));
    if (own % 4 === 0) watch(greeted(address, tcpPort).then(() => void connections++));
  }, 1000 / perSecond);
  const count = () => ({ requests, connections, failures });
  load = {
    count,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(underWay);
      kept.destroy();
      return count();
    },
  };
}

/** Resolves after so many further answers, or failures enough to be told. */
export async function moreLoad({ requests }: { readonly requests: number }): Promise<void> {
  const begin = load?.count().requests ?? 0;
  const isDone = ({ requests: now, failures }: LoadCount) => now - begin >= requests || failures.length >= 10;
  while (load && !isDone(load.count())) await delay(20);
}

/** Ends it. */
export async function stopLoad(_: undefined): Promise<LoadCount> {
  const count = await load?.stop();
  load = undefined;
  return count ?? { requests: 0, connections: 0, failures: ['there was no load'] };
}

function get(host: string, port: number, agent: Agent | false): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, agent, timeout: patience }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.once('error', reject);
      response.once('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(`status ${response.statusCode}: ${body}`))));
    });
    sent.once('timeout', () => sent.destroy(new Error('no answer within 15 s'))).once('error', reject);
    sent.end();
  });
}

/** The server speaks first. */
async function greeted(host: string, port: number): Promise<void> {
  const socket = connect(port, host);
  try {
    await once(socket, 'data', { signal: AbortSignal.timeout(patience) });
  } finally {
    socket.destroy();
  }
}
