/** `weft check`: whether a cluster is ready for Weft, or Weft well in it. */
import type { CommandModule } from 'yargs';
import { KubeError } from '../kubernetes/api.js';
import { beforeChecks } from './check/before.js';
import { type Check, type CheckContext, type Finding, formatFindings, runChecks } from './check/finding.js';
import { namespaceChecks } from './check/namespaces.js';
import { serverChecks } from './check/server.js';
import { stateChecks } from './check/state.js';
import { webhookChecks } from './check/webhooks.js';
import { components, findDeployment, workloadChecks } from './check/workloads.js';
import { type ClusterFlags, connectionOptions, connectTo, defaultNamespace } from './cluster.js';
import { formatReadiness } from './strict-ready/format.js';
import { exitCodeOf, readSince, readWatched, strictReadiness } from './strict-ready/run.js';

interface CheckFlags extends Omit<ClusterFlags, 'namespace'> {
  readonly namespace?: string | undefined;
  readonly output: 'text' | 'json';
  readonly 'strict-ready': boolean;
  readonly since?: string | undefined;
  readonly watched: string;
}

export const checkCommand: CommandModule<object, CheckFlags> = {
  command: 'check',
  describe: 'Check a cluster before Weft is installed, or Weft after; exit code 1 when something has failed',
  builder: (yargs) =>
    connectionOptions(yargs)
      .option('namespace', {
        alias: 'n',
        type: 'string',
        describe: 'Where Weft runs, or is to run (default: weft-system); with --strict-ready: whose Services, or all (default: all)',
      })
      .option('strict-ready', {
        type: 'boolean',
        default: false,
        describe: 'List who still calls which Service in plaintext; exit code 1 when anybody does, 3 when that cannot be known',
      })
      .option('since', { type: 'string', describe: 'With --strict-ready: leave out who was last seen longer ago than this, 1m to 24h' })
      .option('watched', { type: 'string', default: '10m', describe: 'With --strict-ready: for how long sidecars must have looked, at most 12h' })
      .option('output', { alias: 'o', choices: ['text', 'json'] as const, default: 'text' as const, describe: 'For people or for machines' })
      .example('weft check', 'Before and after weft install; each line that is not ok says what to do')
      .example('weft check --strict-ready -n shop', 'Before a Service, a namespace or the Mesh is made Strict'),
  handler: async (flags) => {
    if (flags['strict-ready']) return checkStrictReady(flags);
    const client = connectTo(flags);
    const report = await checkCluster({ client, namespace: flags.namespace ?? defaultNamespace, now: Date.now });
    process.stdout.write(flags.output === 'json' ? `${JSON.stringify({ server: client.server, ...report }, null, 2)}\n` : formatReport(report));
    process.exitCode = report.findings.some(({ result }) => result === 'failed') ? 1 : 0;
  },
};

/** A failure is nothing that was found: it must not look like either verdict. */
async function checkStrictReady(flags: CheckFlags): Promise<void> {
  try {
    const client = connectTo(flags);
    const now = Date.now();
    const namespace = flags.namespace === 'all' ? undefined : flags.namespace;
    const question = { now, since: readSince(flags.since), watched: readWatched(flags.watched) };
    const readiness = await strictReadiness(client, { namespace, ...question });
    process.stdout.write(flags.output === 'json' ? `${JSON.stringify({ server: client.server, ...readiness }, null, 2)}\n` : formatReadiness(readiness, now));
    process.exitCode = exitCodeOf(readiness);
  } catch (error) {
    process.stderr.write(`weft: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 3;
  }
}

/** What `weft check -o json` prints, but for the server. */
interface CheckReport {
  /** Whether any part of Weft is there, which decides what is looked at. */
  readonly installed: boolean;
  readonly findings: readonly Finding[];
}

/** Looks at everything; nothing is changed. Rejects when the API server cannot be reached. */
export async function checkCluster(context: CheckContext): Promise<CheckReport> {
  const installed = await isInstalled(context);
  const checks: readonly Check[] = installed ? [...workloadChecks, ...webhookChecks, ...stateChecks, ...namespaceChecks] : beforeChecks;
  return { installed, findings: await runChecks([...serverChecks, ...checks], context) };
}

async function isInstalled(context: CheckContext): Promise<boolean> {
  const found = await Promise.all(components.map((component) => findDeployment(context, component).catch(notAllowed)));
  return found.some((deployment) => deployment !== undefined);
}

/** Who may not look is told so by each check. */
function notAllowed(error: unknown): undefined {
  if (error instanceof KubeError) return undefined;
  throw error;
}

function formatReport({ installed, findings }: CheckReport): string {
  const heading = installed ? 'Weft is installed.' : 'Weft is not installed here; these are the checks before it is.';
  const [failures, warnings] = (['failed', 'warning'] as const).map((result) => findings.filter((finding) => finding.result === result).length);
  return `${heading}\n\n${formatFindings(findings)}\n${failures} failed, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}, ${findings.length} checks\n`;
}
