/** The server-side stanzas of a port of a Service: unlike those for callers, all of them count, and each feature says how they add up. */
import type { ServerStanza } from '../features/feature.js';
import { features } from '../features/gen/index.js';
import type { Mesh } from '../model/mesh.js';
import type { TrafficPolicy } from '../model/policy.js';
import type { Service, ServicePort } from '../model/service.js';
import { levelOf } from './effective.js';
import { createMemo } from './memo.js';

/** Stanzas by name, the most specific policy first, of equals the oldest. The same object while the policies stay. */
export type ServerStanzas = ReadonlyMap<string, readonly ServerStanza<object>[]>;

const serverSide = new Set<string>(features.filter(({ side }) => side === 'Server').map(({ name }) => name));
const memo = createMemo<ServerStanzas>();

/** All that policies in the Service's own namespace say of how it is served. */
export function serverStanzas(mesh: Mesh, service: Service, port: ServicePort): ServerStanzas {
  const policies = mesh.policies(service.key);
  return memo([policies, service, port], () => collect(policies, service, port));
}

function collect(policies: readonly TrafficPolicy[], service: Service, port: ServicePort): ServerStanzas {
  const speaking = policies.flatMap((policy) => {
    const level = policy.namespace === service.namespace ? levelOf(policy, service, port, service.namespace) : undefined;
    return level === undefined ? [] : [{ policy, level }];
  });
  const found = new Map<string, ServerStanza<object>[]>();
  for (const { policy } of speaking.toSorted((a, b) => b.level - a.level)) {
    for (const [name, value] of Object.entries(policy.stanzas)) {
      if (!serverSide.has(name) || typeof value !== 'object' || value === null) continue;
      const { namespace, mode } = policy;
      const stanza = { value, policy: { kind: 'TrafficPolicy', namespace, name: policy.name }, mode };
      const others = found.get(name);
      if (others) others.push(stanza);
      else found.set(name, [stanza]);
    }
  }
  return found;
}
