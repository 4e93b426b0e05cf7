/** The port for probes and metrics, which the pod network can reach: /healthz, /readyz and /metrics, and nothing that tells of anybody. */
import { createServer, type ServerResponse } from 'node:http';
import { type ConnectionLimits, shareConnections } from '../connections/fair-share.js';
import { end, type ListeningPort, listenOn } from './http.js';
import type { Metrics } from './metrics.js';

/** What the port shows. */
export interface MetricsPages {
  /** Why this process is not ready; undefined when it is. */
  readonly ready: () => string | undefined;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
}

/** Kubelets and Prometheus have one or two each. A probe that finds no place ends the container. */
const limits: ConnectionLimits = { connections: 128, connectionsPerPeer: 32 };
/** However many ask, the metrics are gathered once in this many milliseconds. */
const freshMs = 1_000;

/** Listens on `host:port`; port 0 takes a free one. Rejects when the address cannot be had. */
export async function startMetrics(host: string, port: number, pages: MetricsPages): Promise<ListeningPort> {
  const text = remember(pages.metrics.text);
  const server = createServer({ requestTimeout: 5_000, headersTimeout: 5_000, maxHeaderSize: 8 * 1024 }, (request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (request.method !== 'GET') return end(response, 405, 'text/plain', 'Only GET is answered here\n');
    answer(pages, path, text, response).catch(() => end(response, 500, 'text/plain', 'the metrics could not be gathered\n'));
  });
  shareConnections(server, limits);
  return listenOn(server, host, port);
}

async function answer({ ready, metrics }: MetricsPages, path: string, text: () => Promise<string>, response: ServerResponse): Promise<void> {
  if (path === '/healthz') return end(response, 200, 'text/plain', 'ok\n');
  if (path === '/metrics') return end(response, 200, metrics.contentType, await text());
  if (path !== '/readyz') return end(response, 404, 'text/plain', 'There are /healthz, /readyz and /metrics\n');
  const why = ready();
  end(response, why === undefined ? 200 : 503, 'text/plain', `${why ?? 'ok'}\n`);
}

function remember(gather: () => Promise<string>): () => Promise<string> {
  let at = Number.NEGATIVE_INFINITY;
  let last: Promise<string> = Promise.resolve('');
  return () => {
    const now = performance.now();
    if (now - at >= freshMs) {
      at = now;
      last = gather();
    }
    return last;
  };
}
