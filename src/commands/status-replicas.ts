/** Asks each replica of Weft in a cluster, by way of the API server: the admin port of each is on its own loopback only. */
import { readConfig } from '../config.js';
import type { KubeClient } from '../kubernetes/api.js';
import { connect } from '../kubernetes/connect.js';
import { fieldOf, listOf, textOf } from '../kubernetes/plain.js';
import { type Forward, forward } from '../kubernetes/port-forward.js';

/** Which cluster, and where Weft is in it. */
export interface ClusterPlace {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  /** Weft's own namespace. */
  readonly namespace: string;
}

/** A page of a replica, or why there is none. */
export interface ReplicaPage<Page> {
  readonly pod: string;
  readonly page?: Page | undefined;
  readonly problem?: string | undefined;
}

/** How pods are found and reached. */
export interface Reach {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly forward: (pod: string, onError: (error: Error) => void) => Promise<Forward>;
}

const adminPort = 15_014;
const labelSelector = 'app.kubernetes.io/name=weft,app.kubernetes.io/component=controller';

/** The way to the replicas of a cluster. Throws an Error that says what to do when no cluster is named. */
export function reachCluster({ kubeconfig, context, namespace }: ClusterPlace): Reach {
  const config = readConfig();
  const options = { kubeconfig: kubeconfig ?? config.kubeconfig, context, inCluster: config.inCluster };
  return { client: connect(options), namespace, forward: (pod, onError) => forward(options, namespace, pod, adminPort, onError) };
}

/** Asks all replicas at once with `ask`, which is given the `host:port` where one can be reached. Rejects when there is none. */
export async function askReplicas<Page>(reach: Reach, ask: (admin: string) => Promise<Page>): Promise<readonly ReplicaPage<Page>[]> {
  const { client, namespace } = reach;
  const list = await client.request({ method: 'GET', path: `/api/v1/namespaces/${namespace}/pods`, query: { labelSelector } });
  const pods = listOf(list, 'items').filter((pod) => textOf(fieldOf(pod, 'metadata'), 'deletionTimestamp') === '');
  if (pods.length === 0) {
    throw new Error(`namespace ${namespace} of ${client.server} has no pod of weft-controller; install Weft with weft install, or name its namespace with -n`);
  }
  return Promise.all(pods.map((pod) => askReplica(reach, pod, ask)));
}

async function askReplica<Page>(reach: Reach, pod: unknown, ask: (admin: string) => Promise<Page>): Promise<ReplicaPage<Page>> {
  const name = textOf(fieldOf(pod, 'metadata'), 'name');
  const phase = textOf(fieldOf(pod, 'status'), 'phase');
  if (phase !== 'Running') return { pod: name, problem: `is ${phase || 'not running'}` };
  let trouble: string | undefined;
  try {
    const way = await reach.forward(name, (error) => (trouble ??= error.message));
    try {
      return { pod: name, page: await ask(`127.0.0.1:${way.port}`) };
    } finally {
      await way.close();
    }
  } catch (error) {
    return { pod: name, problem: `does not answer: ${trouble ?? (error instanceof Error ? error.message : String(error))}` };
  }
}
