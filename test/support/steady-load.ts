/** Requests at a steady rate through explicit proxies, each of which has to succeed. */
import { Agent, request } from 'node:http';

/** An answer, or why there was none (then `status` is 0). */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The body, or the error. */
  readonly text: string;
}

/** One GET, or a POST of `body`, through the explicit proxy on 127.0.0.1; never rejects. */
export function call(agent: Agent | undefined, proxyPort: number, url: string, body?: string): Promise<Answer> {
  return new Promise((resolve) => {
    const failed = (error: Error) => resolve({ status: 0, headers: {}, text: error.message });
    const method = body === undefined ? 'GET' : 'POST';
    const options = { agent: agent ?? false, host: '127.0.0.1', port: proxyPort, method, path: url, headers: { host: new URL(url).host }, timeout: 20_000 };
    const sent = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('error', failed).once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    sent.once('timeout', () => sent.destroy(new Error('no answer within 20 s')));
    sent.once('error', failed).end(body);
  });
}

/** How many requests were sent and how many failed since the last count. */
export interface Count {
  readonly sent: number;
  /** When, and what came instead of a 200, for the first ten. */
  readonly failures: readonly string[];
  readonly failed: number;
}

/** A load under way. */
export interface SteadyLoad {
  /** Waits for what is under way, and counts anew. */
  readonly count: () => Promise<Count>;
  /** Resolves after so many further answers. */
  readonly answers: (count: number) => Promise<void>;
  /** Resolves when an answer that `wanted` accepts has come through each proxy. */
  readonly seen: (wanted: (answer: Answer) => boolean) => Promise<void>;
  readonly stop: () => Promise<void>;
}

const body = 'x'.repeat(1000);

/** Sends `perSecond` requests for the URL, half of them POSTs, through the proxies in turn, whatever becomes of those before. */
export function startSteadyLoad(proxyPorts: readonly number[], url: string, perSecond: number): SteadyLoad {
  const agents = proxyPorts.map(() => new Agent({ keepAlive: true, maxSockets: 100 }));
  const watchers = new Set<(index: number, answer: Answer) => void>();
  const underWay = new Set<Promise<void>>();
  let [turn, sent, failed] = [0, 0, 0];
  let failures: string[] = [];

  function send(): void {
    const index = turn++ % proxyPorts.length;
    const [agent, port] = [agents[index], proxyPorts[index]];
    if (!agent || port === undefined) return;
    sent++;
    const one = call(agent, port, url, Math.floor(turn / proxyPorts.length) % 2 === 0 ? undefined : body).then((answer) => {
      underWay.delete(one);
      for (const watch of watchers) watch(index, answer);
      if (answer.status === 200) return;
      failed++;
      if (failures.length < 10) failures.push(`${new Date().toISOString()} proxy ${index}: ${answer.status} ${answer.text}`);
    });
    underWay.add(one);
  }

  async function settle(): Promise<Count> {
    await Promise.all(underWay);
    const counted = { sent, failed, failures };
    [sent, failed, failures] = [0, 0, []];
    return counted;
  }

  /** Shows each further answer to `done` until it says so. */
  const until = (done: (index: number, answer: Answer) => boolean) =>
    new Promise<void>((resolve) => {
      const watch = (index: number, answer: Answer) => {
        if (!done(index, answer)) return;
        watchers.delete(watch);
        resolve();
      };
      watchers.add(watch);
    });

  const timer = setInterval(send, 1000 / perSecond);
  return {
    count: settle,
    answers: (count) => {
      let left = count;
      return until(() => --left <= 0);
    },
    seen: (wanted) => {
      const missing = new Set(proxyPorts.keys());
      return until((index, answer) => {
        if (wanted(answer)) missing.delete(index);
        return missing.size === 0;
      });
    },
    stop: async () => {
      clearInterval(timer);
      await Promise.all(underWay);
      for (const agent of agents) agent.destroy();
    },
  };
}
