/** Weft's kinds in a real API server. */
import { setTimeout as delay } from 'node:timers/promises';
import { printCrds } from '../../src/features/crd.js';
import { follow } from '../../src/features/field-path.js';
import { type KubeClient, KubeError } from '../../src/kubernetes/api.js';

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** Makes the CustomResourceDefinitions, and resolves when their kinds are served. */
export async function installCrds(client: KubeClient): Promise<void> {
  for (const body of printCrds()) await client.request({ method: 'POST', path: definitions, body });
  for (const plural of ['trafficpolicies', 'meshes'])
    while (!(await isServed(client, plural))) {
      await delay(50);
    }
}

async function isServed(client: KubeClient, plural: string): Promise<boolean> {
  try {
    await client.request({ method: 'GET', path: `/apis/weft.dev/v1alpha1/${plural}` });
    return true;
  } catch (error) {
    if (error instanceof KubeError && [404, 429].includes(error.status)) return false;
    throw error;
  }
}

/** What the API server says to an object without keeping it, unknown fields being errors as for kubectl: undefined when it accepts it. */
export async function refusal(client: KubeClient, object: unknown): Promise<string | undefined> {
  const [kind, namespace] = [follow(object, ['kind']), follow(object, ['metadata', 'namespace'])];
  const collection = kind === 'Mesh' ? 'meshes' : `namespaces/${String(namespace)}/trafficpolicies`;
  try {
    const query = { dryRun: 'All', fieldValidation: 'Strict' };
    await client.request({ method: 'POST', path: `/apis/weft.dev/v1alpha1/${collection}`, query, body: object });
    return undefined;
  } catch (error) {
    if (error instanceof KubeError) return error.message;
    throw error;
  }
}
