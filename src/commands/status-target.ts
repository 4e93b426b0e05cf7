/** Whom `weft status` asks: a `weft serve` on this machine, or the replicas in a cluster. */
import type { Argv } from 'yargs';
import { readConfig } from '../config.js';
import { selectContext } from '../kubernetes/connect.js';
import type { ClusterPlace } from './status-replicas.js';

/** The flags that say so. */
export interface TargetFlags {
  readonly admin?: string | undefined;
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}

const localAdmin = '127.0.0.1:15014';
const defaultNamespace = 'weft-system';

/** Adds `--admin`, `--kubeconfig` and `--context`. */
export function targetOptions<T>(yargs: Argv<T>): Argv<T & TargetFlags> {
  return yargs
    .option('admin', { type: 'string', describe: `host:port of the admin port of weft serve (default: ${localAdmin}, where it answers)` })
    .option('kubeconfig', {
      type: 'string',
      conflicts: 'admin',
      describe: 'File that says how to reach the cluster (default: KUBECONFIG, then ~/.kube/config)',
    })
    .option('context', { type: 'string', conflicts: 'admin', describe: 'A context of that file (default: its current one)' });
}

/** Asks whom the flags name. Without any: the usual admin port, and where nobody answers there, the cluster of the kubeconfig, if there is one. */
export async function withTarget<T>(
  { admin, kubeconfig, context }: TargetFlags,
  namespace: string | undefined,
  local: (admin: string) => Promise<T>,
  cluster: (place: ClusterPlace) => Promise<T>,
): Promise<T> {
  const place = { kubeconfig, context, namespace: namespace ?? defaultNamespace };
  if (admin !== undefined) return local(admin);
  if (kubeconfig !== undefined || context !== undefined || namespace !== undefined) return cluster(place);
  try {
    return await local(localAdmin);
  } catch (error) {
    if (!selectContext({ kubeconfig: readConfig().kubeconfig })) throw error;
    return cluster(place);
  }
}
