/** What the API server knows of who may call whom: enough to tell which ports there are, how strict they are, and who has an address. */

import { type KubeClient, KubeError } from '../../kubernetes/api.js';
import { fieldOf, listOf, textOf } from '../../kubernetes/plain.js';
import type { Mesh } from '../../model/mesh.js';
import type { Service } from '../../model/service.js';
import type { Pod } from '../../model/workload.js';
import type { Change } from '../../sources/change.js';
import { collectionPath } from '../../sources/kubernetes/collection.js';
import { listAll } from '../../sources/kubernetes/list.js';
import { createStore } from '../../sources/store.js';
import { formatDiagnostic } from '../diagnostics.js';
import { parsers } from '../parsers.js';

/** The world at one moment. */
export interface World {
  readonly mesh: Mesh;
  /** Sorted by key. */
  readonly services: readonly Service[];
  readonly pods: readonly Pod[];
  readonly nodes: readonly NodeAddresses[];
  /** Objects that cannot be read, so that what they say is not known. */
  readonly problems: readonly string[];
}

/** The addresses that calls from a Node have. */
export interface NodeAddresses {
  readonly name: string;
  readonly addresses: readonly string[];
  /** The ranges of its Pods: `10.244.1.0/24`. */
  readonly podCIDRs: readonly string[];
}

/** What is listed, in all namespaces. Policies are broken rarely, and then their mode is not known. */
const kinds = ['v1/Service', 'v1/Pod', 'weft.dev/v1alpha1/TrafficPolicy', 'weft.dev/v1alpha1/Mesh'];

/** Lists all that is needed. Rejects with what one must be allowed to do. */
export async function readWorld(client: KubeClient): Promise<World> {
  const store = createStore();
  const problems: string[] = [];
  for (const kind of kinds) {
    const read = (await list(client, kind)).flatMap((raw) => parsers[kind]?.parse(raw) ?? []);
    const changes: readonly Change[] = read.flatMap(({ object }) => object ?? []);
    store.apply(changes);
    const errors = read.flatMap(({ diagnostics }) => diagnostics).filter(({ severity }) => severity === 'error');
    problems.push(...errors.map((error) => formatDiagnostic(error).trim()));
  }
  const services = store.services().flatMap((key) => store.mesh.service(key) ?? []);
  const nodes = (await list(client, 'v1/Node')).map(nodeOf);
  return { mesh: store.mesh, services, pods: [...store.pods()], nodes, problems };
}

async function list(client: KubeClient, kind: string): Promise<readonly unknown[]> {
  const path = collectionPath(kind);
  let items: unknown[] = [];
  const begin = () => {
    items = [];
  };
  const object = (raw: unknown) => void items.push(raw);
  try {
    await listAll(client, path, { begin, object }, new AbortController().signal);
  } catch (error) {
    // Without the CRDs there is no policy.
    if (error instanceof KubeError && error.status === 404) return [];
    if (error instanceof KubeError && error.status === 403) throw new Error(`${error.message}; ${rights}`);
    throw error;
  }
  return items;
}

/** What one needs; docs/mutual-tls.md has it as a ClusterRole. */
const rights =
  'who runs weft check --strict-ready must be allowed to list services, pods, nodes, trafficpolicies.weft.dev and meshes.weft.dev in the whole cluster, and to get pods/proxy';

function nodeOf(raw: unknown): NodeAddresses {
  const spec = fieldOf(raw, 'spec');
  const ranges = listOf(spec, 'podCIDRs').filter((range) => typeof range === 'string');
  return {
    name: textOf(fieldOf(raw, 'metadata'), 'name'),
    addresses: listOf(fieldOf(raw, 'status'), 'addresses').map((entry) => textOf(entry, 'address')),
    podCIDRs: ranges.length > 0 ? ranges : [textOf(spec, 'podCIDR')].filter(Boolean),
  };
}
