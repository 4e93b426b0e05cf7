/** Weft's own release on the cluster: installed by the first test that needs it, and left for the next. */
import { run } from './command.js';
import { kubectl } from './kubectl.js';
import { until } from './until.js';

/** Where Weft lives. */
export const weftNamespace = 'weft-system';
const releaseName = 'weft';

const chart = 'charts/weft';

/** Installs the chart unless a release is there; resolves once it is ready. */
export async function ensureInstalled(): Promise<void> {
  if (await isListed('--deployed')) return;
  // One that was interrupted can neither be upgraded nor waited for.
  if (await isListed('--all')) await uninstall();
  await upgrade([]);
}

async function isListed(state: '--deployed' | '--all'): Promise<boolean> {
  return (await run('helm', ['list', '-n', weftNamespace, state, '-q', '--filter', `^${releaseName}$`])).trim() === releaseName;
}

/** Values for the images that `npm run images` makes. */
const images = ['--values', 'examples/quickstart/images.yaml'];

/** Upgrades the release, or installs it, with further values, `name=value`; resolves once all pods are ready. */
export async function upgrade(values: readonly string[]): Promise<void> {
  const sets = values.flatMap((value) => ['--set', value]);
  const args = ['upgrade', '--install', releaseName, chart, '-n', weftNamespace, '--create-namespace', '--wait', '--timeout', '3m', ...images, ...sets];
  await run('helm', args, { timeoutMs: 300_000 });
}

/** Uninstalls the release, if there is one, and its namespace. */
export async function uninstall(): Promise<void> {
  await run('helm', ['uninstall', releaseName, '-n', weftNamespace, '--ignore-not-found', '--wait', '--timeout', '2m']);
  await kubectl(['delete', 'namespace', weftNamespace, '--ignore-not-found', '--timeout=100s']);
}

/** Resolves once all pods of a Deployment of Weft are ready and none is on its way out. */
export async function deploymentReady(name: string, replicas: number): Promise<void> {
  await until(`${replicas} ready pods of ${name}`, async () => {
    const template =
      '{{range .items}}{{range .status.conditions}}{{if eq .type "Ready"}}{{.status}}{{end}}{{end}}{{if .metadata.deletionTimestamp}}-ending{{end}} {{end}}';
    const text = await kubectl(['-n', weftNamespace, 'get', 'pods', '-l', `app.kubernetes.io/component=${component(name)}`, '-o', `go-template=${template}`]);
    const states = text.split(' ').filter(Boolean);
    return states.length === replicas && states.every((state) => state === 'True');
  });
}

/** Deployments are named `weft-COMPONENT`. */
function component(deployment: string): string {
  return deployment.replace(/^weft-/, '');
}
