/** `weft status ports`: which protocol each port of each Service is taken to speak, and why. */
import type { CommandModule } from 'yargs';
import type { PortRow } from '../status/ports.js';
import { fetchAdmin } from './status-fetch.js';
import { askReplicas, type ClusterPlace, reachCluster } from './status-replicas.js';
import { type TargetFlags, targetOptions, withTarget } from './status-target.js';
import { formatTable } from './table.js';

interface PortsFlags extends TargetFlags {
  readonly 'weft-namespace'?: string | undefined;
  readonly namespace?: string | undefined;
  readonly output: 'text' | 'json';
}

/** What the admin port's page `/ports` shows. */
interface PortsPage {
  readonly ports: readonly PortRow[];
}

export const statusPortsCommand: CommandModule<object, PortsFlags> = {
  command: 'ports',
  describe: 'Show which protocol each port of each Service is taken to speak, and why',
  builder: (yargs) =>
    targetOptions(yargs)
      .option('weft-namespace', { type: 'string', describe: 'Where Weft runs in the cluster (default: weft-system)' })
      .option('namespace', { alias: 'n', type: 'string', describe: 'Only the Services of this namespace' })
      .option('output', { alias: 'o', choices: ['text', 'json'] as const, default: 'text' as const, describe: 'For people or for machines' })
      .example('weft status ports -n shop', 'Why is my policy not applied? Perhaps the port is TCP'),
  handler: async ({ namespace, output, ...flags }) => {
    const path = namespace === undefined ? '/ports' : `/ports?namespace=${encodeURIComponent(namespace)}`;
    const ask = (admin: string) => fetchAdmin(admin, path, isPortsPage);
    const page = await withTarget(flags, flags['weft-namespace'], ask, (place) => askOne(place, ask));
    process.stdout.write(output === 'json' ? `${JSON.stringify(page, null, 2)}\n` : formatPorts(page.ports));
  },
};

/** All replicas know the same Services: the first that answers is as good as any. */
async function askOne(place: ClusterPlace, ask: (admin: string) => Promise<PortsPage>): Promise<PortsPage> {
  const pages = await askReplicas(reachCluster(place), ask);
  const answer = pages.find(({ page }) => page)?.page;
  if (!answer) throw new Error(pages.map(({ pod, problem }) => `${pod} ${problem}`).join('\n'));
  return answer;
}

function isPortsPage(body: unknown): body is PortsPage {
  return typeof body === 'object' && body !== null && 'ports' in body && Array.isArray(body.ports);
}

/** The rows as a table. */
function formatPorts(rows: readonly PortRow[]): string {
  return formatTable(
    ['service', 'port', 'name', 'protocol', 'because of'],
    rows.map(({ service, port, name, protocol, reason }) => [service, String(port), name || '-', protocol, reason]),
  );
}
