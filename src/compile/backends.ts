/** Where a rule's requests go: which Services its references mean, and whether it may use them. */
import type { BackendRef, Rules } from '../features/rules/schema.js';
import type { Mesh } from '../model/mesh.js';
import { type Key, keyOf } from '../model/name.js';
import type { Service } from '../model/service.js';
import { clusterName } from './names.js';

/** A reference to a Service; mirrors have fewer fields than backends. */
export type Reference = Pick<BackendRef, 'name' | 'namespace' | 'port' | 'podSelector'>;

/** The cluster of a reference, or why there is none. */
export type Backend = { readonly cluster: string } | BackendProblem;

/** Why a reference leads nowhere. */
export interface BackendProblem {
  readonly reason: 'BackendNotFound' | 'RefNotPermitted';
  /** The field of the reference. */
  readonly field: 'name' | 'namespace' | 'port';
  readonly message: string;
  readonly remedy: string;
}

/** The Services that exist, of those that rules refer to. */
export type BackendServices = ReadonlyMap<Key, Service>;

/** Looks up every Service that the rules refer to. A reference without a namespace means the policy's. */
export function backendServices(mesh: Mesh, rules: Rules, policyNamespace: string): BackendServices {
  const references = rules.flatMap(({ backendRefs = [], filters = [] }) => [
    ...backendRefs,
    ...filters.flatMap(({ requestMirror }) => requestMirror?.backendRef ?? []),
  ]);
  const keys = new Set(references.map((reference) => keyOf(reference.namespace ?? policyNamespace, reference.name)));
  return new Map(
    [...keys].flatMap((key) => {
      const service = mesh.service(key);
      return service ? [[key, service] as const] : [];
    }),
  );
}

/** A reference of a policy in `policyNamespace` about a Service in `serviceNamespace`: only Services of these two may be used. */
export function toBackend(reference: Reference, services: BackendServices, policyNamespace: string, serviceNamespace: string): Backend {
  const namespace = reference.namespace ?? policyNamespace;
  if (namespace !== policyNamespace && namespace !== serviceNamespace) {
    const message = `the Service is in namespace ${namespace}, which is neither the policy's nor that of the Service it is about`;
    return { reason: 'RefNotPermitted', field: 'namespace', message, remedy: 'refer to a Service of one of these namespaces' };
  }
  const service = services.get(keyOf(namespace, reference.name));
  if (!service)
    return {
      reason: 'BackendNotFound',
      field: 'name',
      message: `there is no Service ${namespace}/${reference.name}`,
      remedy: 'create the Service, or correct the name',
    };
  return service.ports.some(({ port }) => port === reference.port)
    ? { cluster: clusterName(service, reference.port, reference.podSelector?.matchLabels) }
    : { reason: 'BackendNotFound', field: 'port', ...missingPort(service, reference.port) };
}

function missingPort(service: Service, port: number) {
  const ports = service.ports.map((each) => each.port).join(', ');
  return { message: `Service ${service.key} has no port ${port}`, remedy: `use one of its ports: ${ports || 'it has none'}` };
}
