/** `weft ca`: the authority that gives workloads their certificates, how it stands with it, and changing its root. */
import type { Argv, CommandModule } from 'yargs';
import { authorityPair } from '../identity/authority-plan.js';
import { parseDuration } from '../model/duration.js';
import { type AuthorityPlace, clusterPlace, folderPlace } from './ca/place.js';
import { type Progress, rotate } from './ca/rotate.js';
import { authorityStatus, formatAuthority, isTroubled } from './ca/status.js';
import { type ClusterFlags, clusterOptions } from './cluster.js';
import { reachCluster } from './status-replicas.js';

interface CaFlags extends ClusterFlags {
  readonly ca?: string | undefined;
  readonly admin: string;
  readonly output: 'text' | 'json';
}

interface RotateFlags extends CaFlags {
  /** Milliseconds. */
  readonly settle?: number | undefined;
  readonly timeout: number;
  readonly 'skip-absent': boolean;
  readonly skip?: readonly string[] | undefined;
}

/** What the kubelet may take until a changed ConfigMap is in the files of a pod: a minute between two looks, and another for what it remembers; and half a minute more. */
const kubeletMs = 150_000;
/** A folder's authority does not sign the port of Weft itself. */
const folderSettleMs = 0;

const statusCommand: CommandModule<object, CaFlags> = {
  command: 'status',
  describe: 'Show the certificates of the authority and where a rotation stands; exit code 1 when something asks for attention',
  builder: caOptions,
  handler: async (flags) => {
    const status = await authorityStatus(await placeOf(flags));
    process.stdout.write(flags.output === 'json' ? `${JSON.stringify(status, null, 2)}\n` : formatAuthority(status));
    process.exitCode = isTroubled(status, Date.now()) ? 1 : 0;
  },
};

const rotateCommand: CommandModule<object, RotateFlags> = {
  command: 'rotate',
  describe: 'Change the root of the mesh by two that overlap; safe to stop at any point and to run again',
  builder: (yargs: Argv<object>) =>
    caOptions(yargs)
      .option('settle', {
        type: 'string',
        coerce: duration('settle'),
        describe: 'How long the new root has until it is in the files of all pods (default: 2m30s, by the kubelet; none with --ca)',
      })
      .option('timeout', { type: 'string', default: '1h', coerce: duration('timeout'), describe: 'Give up after so long; what is done stays done' })
      .option('skip-absent', { type: 'boolean', default: false, describe: 'Do not wait for pods with a sidecar that is not connected' })
      .option('skip', {
        type: 'string',
        array: true,
        nargs: 1,
        coerce: readSkipped,
        describe: 'NAMESPACE/POD that is not waited for, or NAMESPACE for all of it; may be given again. What it calls fails until it is started anew',
      })
      .example('weft ca rotate', 'Two roots, new certificates for all, then one root: a line for each step')
      .example('weft ca rotate --ca ./authority', 'The same for weft serve --manifests --ca ./authority'),
  handler: async (flags) => {
    const now = () => Date.now();
    await rotate({
      ...{ place: await placeOf(flags), makeNext: () => authorityPair(now()), tell: teller(flags.output), now, intervalMs: 1000 },
      settleMs: flags.settle ?? (flags.ca === undefined ? kubeletMs : folderSettleMs),
      timeoutMs: flags.timeout,
      skipAbsent: flags['skip-absent'],
      skip: flags.skip ?? [],
    });
  },
};

export const caCommand: CommandModule = {
  command: 'ca',
  describe: 'Look after the authority that gives workloads their certificates',
  builder: (yargs) => yargs.command(statusCommand).command(rotateCommand).demandCommand(1, 'Say what to do: weft ca status, or weft ca rotate'),
  handler: () => undefined,
};

function caOptions(yargs: Argv<object>) {
  return clusterOptions(yargs)
    .option('ca', { type: 'string', conflicts: ['kubeconfig', 'context'], describe: 'The folder of weft serve --ca, instead of a cluster' })
    .option('admin', { type: 'string', default: '127.0.0.1:15014', describe: 'With --ca: host:port of the admin port of that weft serve' })
    .option('output', { alias: 'o', choices: ['text', 'json'] as const, default: 'text' as const, describe: 'For people or for machines (one object a line)' });
}

async function placeOf({ ca, admin, ...cluster }: CaFlags): Promise<AuthorityPlace> {
  return ca === undefined ? clusterPlace(reachCluster(cluster)) : folderPlace(ca, admin);
}

function teller(output: CaFlags['output']): (progress: Progress) => void {
  return ({ step, message }) => {
    const time = new Date().toISOString();
    process.stdout.write(output === 'json' ? `${JSON.stringify({ time, step, message })}\n` : `${time}  ${step.padEnd(5)}  ${message}\n`);
  };
}

/** Throws an Error that names what is neither a pod nor a namespace. */
function readSkipped(names: readonly string[]): readonly string[] {
  const wrong = names.find((name) => !/^[^/\s]+(\/[^/\s]+)?$/.test(name));
  if (wrong !== undefined) throw new Error(`--skip ${wrong}: write NAMESPACE/POD, or NAMESPACE`);
  return names;
}

/** Throws an Error that names the flag when the text is no duration. */
function duration(flag: string): (text: string) => number {
  return (text) => {
    const milliseconds = parseDuration(text);
    if (milliseconds === undefined) throw new Error(`--${flag} ${text} is no duration; write one such as 150s or 1h`);
    return milliseconds;
  };
}
