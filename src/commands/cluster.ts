/** The flags by which every command names a cluster. */
import type { Argv } from 'yargs';
import { readConfig } from '../config.js';
import type { KubeClient } from '../kubernetes/api.js';
import { connect } from '../kubernetes/connect.js';

/** Which cluster, and where Weft is in it. */
export interface ClusterFlags {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly namespace: string;
}

/** Where Weft runs unless somebody says otherwise. */
export const defaultNamespace = 'weft-system';

/** Adds `--kubeconfig` and `--context`. */
export function connectionOptions<T>(yargs: Argv<T>): Argv<T & Omit<ClusterFlags, 'namespace'>> {
  return yargs
    .option('kubeconfig', { type: 'string', describe: 'File that says how to reach the cluster (default: KUBECONFIG, then ~/.kube/config)' })
    .option('context', { type: 'string', describe: 'A context of that file (default: its current one)' });
}

/** Adds `--kubeconfig`, `--context` and `--namespace`. */
export function clusterOptions<T>(yargs: Argv<T>): Argv<T & ClusterFlags> {
  return connectionOptions(yargs).option('namespace', {
    alias: 'n',
    type: 'string',
    default: defaultNamespace,
    describe: 'Where Weft runs, or is to run',
  });
}

/** A client for that cluster. Throws an Error that says what to do when none is named. */
export function connectTo({ kubeconfig, context }: Pick<ClusterFlags, 'kubeconfig' | 'context'>): KubeClient {
  const config = readConfig();
  return connect({ kubeconfig: kubeconfig ?? config.kubeconfig, context, inCluster: config.inCluster });
}
