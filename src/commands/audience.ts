import type { Audience } from '../compile/contract.js';
import { lastingLabels } from '../model/labels.js';
import type { Mesh } from '../model/mesh.js';
import { outboundPort } from '../model/sidecar-ports.js';
import type { Pod } from '../model/workload.js';

/** For whom the proxy of a Pod is compiled; without a Pod, for any client in the namespace `default`. */
export function audienceOf(mesh: Mesh, pod: Pod | undefined, client: Audience['client']): Audience {
  return {
    namespace: pod?.namespace ?? 'default',
    zone: pod ? mesh.zone(pod.node) : '',
    client,
    explicitPort: outboundPort,
    serviceAccount: pod?.serviceAccount ?? 'default',
    labels: lastingLabels(pod?.labels ?? {}),
    ports: pod?.ports ?? new Map(),
  };
}
