/** `weft status`: which proxies are connected, what they run, and what they have rejected. */
import type { CommandModule } from 'yargs';
import { readHostPort } from './address.js';
import { formatDiagnostic } from './diagnostics.js';
import type { Status } from './status-report.js';
import { formatTable } from './table.js';

interface StatusFlags {
  readonly admin: string;
  readonly output: 'text' | 'json';
}

export const statusCommand: CommandModule<object, StatusFlags> = {
  command: 'status',
  describe: 'Show which proxies are connected, in sync, or reject something; exit code 1 when any does',
  builder: (yargs) =>
    yargs
      .option('admin', { type: 'string', default: '127.0.0.1:15014', describe: 'host:port of the admin port of weft serve' })
      .option('output', { alias: 'o', choices: ['text', 'json'] as const, default: 'text' as const, describe: 'For people or for machines' })
      .example('weft status', 'Tables of proxies, policies, rejections and problems'),
  handler: async ({ admin, output }) => {
    const status = await fetchStatus(admin);
    process.stdout.write(output === 'json' ? `${JSON.stringify(status, null, 2)}\n` : formatStatus(status));
    process.exitCode = status.rejections.length > 0 || status.diagnostics.some(({ severity }) => severity === 'error') ? 1 : 0;
  },
};

/** Asks the admin port. Rejects with what to do when nobody answers. */
export async function fetchStatus(admin: string): Promise<Status> {
  const { host, port } = readHostPort(admin, '--admin');
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}/status`;
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) }).catch((error: Error) => {
    throw new Error(
      `nobody answers at ${url} (${error.cause instanceof Error ? error.cause.message : error.message}); is weft serve running, with this --admin?`,
    );
  });
  const body: unknown = await response.json();
  if (!isStatus(body)) throw new Error(`${url} answered with something that is no status; is it the admin port of another program?`);
  return body;
}

function isStatus(body: unknown): body is Status {
  return typeof body === 'object' && body !== null && 'proxies' in body && 'rejections' in body && 'diagnostics' in body;
}

/** The status as tables. */
export function formatStatus({ proxies, policies, rejections, diagnostics }: Status): string {
  const parts = [
    formatTable(
      ['proxy', 'variant', 'state', 'synced', 'pending', 'rejected', 'since'],
      proxies.map((row) => [row.proxy, row.variant, row.state, String(row.synced), String(row.pending), String(row.rejected), row.since]),
    ),
  ];
  if (policies.length > 0) {
    parts.push(
      formatTable(
        ['policy', 'proxies', 'acknowledged', 'rejected', 'pending'],
        policies.map((row) => [row.policy, String(row.matched), String(row.acknowledged), String(row.rejected), String(row.pending)]),
      ),
    );
  }
  for (const { proxy, resource, causes, message } of rejections) {
    parts.push(`${proxy} rejects ${resource}\n    because of ${causes.join(', ')}\n    Envoy says: ${message}\n`);
  }
  if (diagnostics.length > 0) parts.push(diagnostics.map(formatDiagnostic).join(''));
  return parts.join('\n');
}
