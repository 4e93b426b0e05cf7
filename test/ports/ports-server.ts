/** All ports of Weft in one process, as they stand on a cluster: TLS where there is TLS, with the bounds that hold there. Its memory can be asked for. */

import { issueServing, makeAuthority } from '../../src/identity/x509.js';
import { startAdmin } from '../../src/observe/admin.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { startMetrics } from '../../src/observe/metrics-server.js';
import { clusterServeLimits } from '../../src/serve/limits.js';
import { startHttps } from '../../src/webhook/server.js';
import { startTestServer } from '../support/xds-server.js';

/** The ports, and the authority of those that speak TLS. */
export interface Ports {
  readonly xds: number;
  readonly webhook: number;
  readonly metrics: number;
  readonly admin: number;
  readonly authority: string;
}

/** What may be asked for: a change that the honest client is to be sent, or how much memory is in use after a collection. */
export type Question = { readonly beat: string } | 'memory';

const validity = { notBefore: Date.now() - 3_600_000, notAfter: Date.now() + 30 * 24 * 3_600_000 };
const authority = await makeAuthority(validity);
const pair = await issueServing(authority, ['localhost'], validity);
const certificate = { current: () => pair, onChange: () => () => undefined };
const xds = await startTestServer({ tls: { certificate }, constants: [{ type: 'Cluster', name: 'beat' }], serveLimits: clusterServeLimits });
const onDefect = (path: string, error: unknown) => process.stderr.write(`${path}: ${error}\n`);
const webhook = await startHttps({
  ...{ host: '127.0.0.1', port: 0, certificate, onDefect },
  routes: { '/inject': async ({ body }) => ({ status: 200, body: { bytes: body.length } }) },
});
const metrics = await startMetrics('127.0.0.1', 0, { ready: () => undefined, metrics: createMetrics() });
const admin = await startAdmin('127.0.0.1', 0, { isReady: () => true, status: () => ({ proxies: [] }), ports: () => [] });

process.on('message', async (question: Question) => {
  if (question !== 'memory') {
    xds.world.set('Cluster', 'beat', question.beat);
    return;
  }
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  process.send?.(heapUsed + external);
});
process.on('disconnect', () => process.exit());
const ports: Ports = { xds: xds.port, webhook: webhook.port, metrics: metrics.port, admin: admin.port, authority: authority.certificate };
process.send?.(ports);
