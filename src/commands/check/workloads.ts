/** Whether Weft's two processes run, and why not. */
import type { KubeClient } from '../../kubernetes/api.js';
import { weftVersion } from '../version.js';
import { type Check, type CheckContext, failed, ok, warning } from './finding.js';
import { at, find, findAll, listAt, nameOf, numberAt, textAt } from './look.js';

/** The processes; their Deployments, Services and ServiceAccounts are called `weft-` and this. */
export const components = ['controller', 'injector'] as const;

/** The Deployment of a process, or undefined. */
export function findDeployment({ client, namespace }: CheckContext, component: string): Promise<unknown> {
  return find(client, `/apis/apps/v1/namespaces/${namespace}/deployments/weft-${component}`);
}

function deployment(component: string): Check {
  const name = `deployment weft-${component}`;
  return {
    name,
    run: async (context) => {
      const found = await findDeployment(context, component);
      if (found === undefined) return [failed(name, `is missing from namespace ${context.namespace}`, 'install Weft again: weft install')];
      const [wanted, ready] = [numberAt(found, 'spec', 'replicas'), numberAt(found, 'status', 'readyReplicas')];
      const said = `${ready} of ${wanted} ready, version ${versionOf(found) || 'unknown'}`;
      if (ready >= wanted && ready > 0) return [ok(name, said)];
      const why = await reasons(context, component);
      const remedy = why.length > 0 ? `see kubectl logs and kubectl describe of ${why[0]?.pod}` : 'see kubectl describe of the Deployment and its ReplicaSet';
      const message = [said, ...why.map(({ pod, reason }) => `${pod}: ${reason}`)].join('; ');
      return [ready > 0 ? warning(name, message, remedy) : failed(name, message, remedy)];
    },
  };
}

interface Reason {
  readonly pod: string;
  readonly reason: string;
}

/** What keeps the Pods of a process from being ready, in the cluster's words. */
async function reasons({ client, namespace }: CheckContext, component: string): Promise<readonly Reason[]> {
  const labelSelector = `app.kubernetes.io/name=weft,app.kubernetes.io/component=${component}`;
  const pods = await findAll(client, `/api/v1/namespaces/${namespace}/pods`, { labelSelector });
  return pods.flatMap((pod) => {
    const reason = reasonOf(pod);
    return reason ? [{ pod: nameOf(pod), reason }] : [];
  });
}

function reasonOf(pod: unknown): string {
  for (const status of listAt(pod, 'status', 'containerStatuses')) {
    const waiting = at(status, 'state', 'waiting') ?? at(status, 'state', 'terminated') ?? at(status, 'lastState', 'terminated');
    const words = [textAt(waiting, 'reason'), textAt(waiting, 'message')].filter(Boolean).join(': ');
    if (words && at(status, 'ready') !== true) return words;
  }
  const unmet = listAt(pod, 'status', 'conditions').find((condition) => textAt(condition, 'status') === 'False');
  return [textAt(unmet, 'reason'), textAt(unmet, 'message')].filter(Boolean).join(': ');
}

function service(component: string): Check {
  const name = `service weft-${component}`;
  return {
    name,
    run: async ({ client, namespace }) => {
      const count = await readyEndpoints(client, namespace, `weft-${component}`);
      const remedy = 'see whether the Pods of the Deployment are ready, and whether the Service is there: kubectl get service,endpointslice';
      return [count > 0 ? ok(name, `${count} ready ${count === 1 ? 'endpoint' : 'endpoints'}`) : failed(name, 'has no ready endpoint', remedy)];
    },
  };
}

async function readyEndpoints(client: KubeClient, namespace: string, name: string): Promise<number> {
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
  const slices = await findAll(client, path, { labelSelector: `kubernetes.io/service-name=${name}` });
  const ready = slices.flatMap((slice) => listAt(slice, 'endpoints')).filter((endpoint) => at(endpoint, 'conditions', 'ready') !== false);
  return new Set(ready.flatMap((endpoint) => listAt(endpoint, 'addresses'))).size;
}

const versions: Check = {
  name: 'versions',
  run: async (context) => {
    const [controller = '', injector = ''] = await Promise.all(components.map((component) => installedVersion(context, component)));
    const own = weftVersion();
    if (controller !== injector)
      return [
        warning('versions', `weft-controller is ${controller || 'missing'} and weft-injector ${injector || 'missing'}`, 'finish the upgrade: weft install'),
      ];
    if (own === controller) return [ok('versions', `both processes and this program are ${own}`)];
    return [
      warning(
        'versions',
        `Weft is ${controller || 'of an unknown version'} and this program ${own}`,
        'use the weft of the same version, or upgrade: weft install',
      ),
    ];
  },
};

/** The version of a process; empty when it is not installed. */
export async function installedVersion(context: CheckContext, component: (typeof components)[number]): Promise<string> {
  return versionOf(await findDeployment(context, component));
}

function versionOf(deployment: unknown): string {
  return textAt(deployment, 'metadata', 'labels', 'app.kubernetes.io/version');
}

/** Deployments and Services. */
export const workloadChecks: readonly Check[] = [...components.flatMap((component) => [deployment(component), service(component)]), versions];
