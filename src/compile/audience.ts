/** What of an audience a resource may depend on. Nothing else reaches the compiler, so that whoever is alike in that shares the resource. */
import type { ResourceName } from '../envoy/resource.js';
import type { Audience } from './contract.js';
import { inboundListener, mutualTlsListener } from './names.js';

const serverSide: ReadonlySet<string> = new Set([inboundListener, mutualTlsListener]);

const noPorts: Audience['ports'] = new Map();

/** Whether a resource is about what the pod itself serves: it follows from the workload, and from policies that protect it. */
export function isServerSide({ type, name }: ResourceName): boolean {
  return type === 'Listener' && serverSide.has(name);
}

/** The audience without what the resource may not depend on: calls to others not on the workload, what a pod serves not on its zone, Secrets on the identity alone. */
export function audienceFor(audience: Audience, resource: ResourceName): Audience {
  const { namespace, zone, client, explicitPort, serviceAccount } = audience;
  if (resource.type === 'Secret') return { namespace, zone: '', client, explicitPort: 0, serviceAccount, labels: {}, ports: noPorts };
  if (isServerSide(resource)) return { ...audience, zone: '', explicitPort: 0 };
  return { namespace, zone, client, explicitPort: client === 'explicit' ? explicitPort : 0, serviceAccount: '', labels: {}, ports: noPorts };
}

/** Equal texts for equal audiences. */
export function audienceKey({ namespace, zone, client, explicitPort, serviceAccount, labels, ports }: Audience): string {
  const own = client === 'explicit' ? explicitPort : 0;
  return JSON.stringify([namespace, zone, client, own, serviceAccount, sorted(Object.entries(labels)), sorted([...ports])]);
}

function sorted<Value>(entries: readonly (readonly [string, Value])[]): readonly (readonly [string, Value])[] {
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
}
