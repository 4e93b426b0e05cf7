/** Requests through a sidecar, as an application with `http_proxy` makes them. */
import { Agent, request } from 'node:http';

/** How one request ended. */
export interface Outcome {
  /** The status, or 0 when there was no answer. */
  readonly status: number;
  /** The name of the application that answered; empty when none did. */
  readonly app: string;
  readonly milliseconds: number;
  /** Why there was no answer. */
  readonly error?: string | undefined;
}

/** A client behind one sidecar. */
export interface Client {
  /** One GET; never rejects. */
  readonly get: (url: string, headers?: Readonly<Record<string, string>>) => Promise<Outcome>;
  readonly close: () => void;
}

/** A client of the explicit proxy at 127.0.0.1:`proxyPort`; connections are kept. A request without an answer fails after `timeoutMs`. */
export function createClient(proxyPort: number, timeoutMs = 15_000): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  return {
    get: (url, headers = {}) => get(agent, proxyPort, url, headers, timeoutMs),
    close: () => agent.destroy(),
  };
}

function get(agent: Agent, port: number, url: string, headers: Readonly<Record<string, string>>, timeout: number): Promise<Outcome> {
  const start = performance.now();
  return new Promise((resolve) => {
    const end = (outcome: Pick<Outcome, 'status' | 'app' | 'error'>) => resolve({ ...outcome, milliseconds: performance.now() - start });
    const call = request({ agent, host: '127.0.0.1', port, path: url, headers: { ...headers, host: new URL(url).host }, timeout }, (response) => {
      response.resume();
      response.once('end', () => end({ status: response.statusCode ?? 0, app: String(response.headers['x-app'] ?? '') }));
      response.once('error', (error) => end({ status: 0, app: '', error: error.message }));
    });
    call.once('timeout', () => call.destroy(new Error(`no answer within ${timeout} ms`)));
    call.once('error', (error) => end({ status: 0, app: '', error: error.message }));
    call.end();
  });
}

/** A steady load and what came of it. */
export interface Load {
  readonly sent: () => number;
  /** Requests that were answered with anything but 200, or not at all. */
  readonly failed: () => number;
  /** What the first failures were. */
  readonly failures: () => readonly string[];
  /** How many answers each application gave. */
  readonly byApp: () => ReadonlyMap<string, number>;
  /** Ends the load and waits for the requests under way. */
  readonly stop: () => Promise<void>;
}

/** Sends `perSecond` requests to each URL through each client in turn, whatever becomes of those before. */
export function startLoad(clients: readonly Client[], urls: readonly string[], perSecond: number): Load {
  let sent = 0;
  let failed = 0;
  const failures: string[] = [];
  const byApp = new Map<string, number>();
  const underWay = new Set<Promise<void>>();

  function send(): void {
    const client = clients[sent % clients.length];
    const url = urls[Math.floor(sent / clients.length) % urls.length];
    if (!client || !url) return;
    sent++;
    const one = client.get(url).then((outcome) => {
      underWay.delete(one);
      byApp.set(outcome.app, (byApp.get(outcome.app) ?? 0) + 1);
      if (outcome.status === 200) return;
      failed++;
      if (failures.length < 10) failures.push(`${url}: ${outcome.error ?? `status ${outcome.status}`} after ${Math.round(outcome.milliseconds)} ms`);
    });
    underWay.add(one);
  }

  const timer = setInterval(send, 1000 / perSecond);
  return {
    sent: () => sent,
    failed: () => failed,
    failures: () => failures,
    byApp: () => byApp,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(underWay);
    },
  };
}
