/** Finds the cluster to talk to, and talks to it. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { KubeClient, KubeRequest, WatchEvent } from './api.js';
import { kubeconfigEndpoint } from './credentials.js';
import type { Endpoint } from './endpoint.js';
import { createAgent, type Exchange, exchange, maxAnswerBytes, readAll } from './exchange.js';
import { hasServiceAccount, type InCluster, inClusterEndpoint } from './in-cluster.js';
import { readKubeconfig, type Selection } from './kubeconfig.js';
import { createEventReader } from './watch-stream.js';

/** Which cluster. */
export interface ConnectOptions {
  /** What `--kubeconfig` or `KUBECONFIG` says: a path, or several with the path delimiter between them. */
  readonly kubeconfig?: string | undefined;
  /** A context of that file; its current one unless given. */
  readonly context?: string | undefined;
  /** Set in a Pod (`readConfig().inCluster`). */
  readonly inCluster?: InCluster | undefined;
  /** Where `.kube/config` is looked for; the user's home unless given. */
  readonly home?: string | undefined;
}

const requestMs = 30_000;

/**
 * A client for the cluster that is named: the kubeconfig, else `~/.kube/config`, else the cluster that this Pod runs in. It
 * connects when it is asked. Throws an Error that says what to do when no cluster is named, or the kubeconfig is wrong.
 */
export function connect(options: ConnectOptions = {}): KubeClient {
  return clientOf(findEndpoint(options));
}

/** What a kubeconfig says of the cluster, or undefined where there is no kubeconfig. Throws an Error when it is wrong. */
export function selectContext({ kubeconfig, context, home = homedir() }: ConnectOptions): Selection | undefined {
  if (kubeconfig) return readKubeconfig(kubeconfig, context);
  const usual = join(home, '.kube', 'config');
  return existsSync(usual) ? readKubeconfig(usual, context) : undefined;
}

function findEndpoint(options: ConnectOptions): Endpoint {
  const selection = selectContext(options);
  if (selection) return kubeconfigEndpoint(selection);
  const { inCluster, home = homedir() } = options;
  if (inCluster && hasServiceAccount(inCluster)) return inClusterEndpoint(inCluster);
  const usual = join(home, '.kube', 'config');
  throw new Error(`no cluster is configured: there is no ${usual}, and this is no Pod with a ServiceAccount; give --kubeconfig FILE, or set KUBECONFIG`);
}

function clientOf(endpoint: Endpoint): KubeClient {
  const agent = createAgent();
  return {
    server: endpoint.server,
    request: (asked) =>
      withLimit(asked, async (signal) => {
        const { response, explain } = await exchange(agent, endpoint, asked, signal);
        const body = await readAll(response, maxAnswerBytes).catch((error: unknown) => Promise.reject(explain(error)));
        return isJson(response.headers['content-type']) ? parseAnswer(asked, body) : body.toString('utf8');
      }),
    watch: async (path, query, onEvent, signal, onOpen) => {
      const asked: KubeRequest = { method: 'GET', path, query: { ...query, watch: 'true' }, signal };
      try {
        // Only the head of the answer is bound to come soon; aborting ends the rest.
        const opened = await withLimit(asked, (limited) => exchange(agent, endpoint, asked, limited));
        onOpen?.();
        await follow(opened, onEvent, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
  };
}

/** Runs with a signal that is aborted by the caller's signal, or after the request's time. */
async function withLimit<T>({ signal, timeoutMs = requestMs }: KubeRequest, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const abort = () => controller.abort(signal?.reason);
  const timer = setTimeout(() => controller.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await run(controller.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** Health checks and logs are plain text. */
function isJson(contentType: string | undefined): boolean {
  return contentType?.startsWith('application/json') ?? false;
}

function parseAnswer({ method, path }: KubeRequest, body: Buffer): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new Error(`${method} ${path}: the answer is no JSON: ${body.toString('utf8', 0, 200)}`, { cause: error });
  }
}

/** Resolves when the server ends the stream in an orderly way; what `onEvent` throws ends it too, and is thrown on. */
function follow({ response, explain }: Exchange, onEvent: (event: WatchEvent) => void, signal: AbortSignal): Promise<void> {
  const read = createEventReader(onEvent);
  const abort = () => response.destroy();
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  return new Promise<void>((resolve, reject) => {
    const fail = (error: unknown) => {
      reject(error);
      response.destroy();
    };
    response.on('data', (chunk: Buffer) => {
      if (response.destroyed) return;
      try {
        read(chunk);
      } catch (error) {
        fail(error);
      }
    });
    response.once('end', resolve);
    response.on('error', (error) => reject(explain(error)));
    response.once('close', () => reject(explain(new Error('the connection was closed'))));
  }).finally(() => signal.removeEventListener('abort', abort));
}
