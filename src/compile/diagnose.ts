/** What is wrong with policies as they stand among the other objects: what a schema cannot see. */

import { features } from '../features/gen/index.js';
import type { Diagnostic } from '../model/diagnostic.js';
import type { Mesh } from '../model/mesh.js';
import { type Key, keyOf, type ObjectRef } from '../model/name.js';
import type { TargetRef, TrafficPolicy } from '../model/policy.js';
import type { ServicePort } from '../model/service.js';
import { outboundPort } from '../model/sidecar-ports.js';
import type { Compiler } from './compiler.js';
import type { Audience } from './contract.js';
import { renderAll } from './render.js';
import { serverProblems } from './server-problems.js';

/** What is looked at. */
export interface World {
  readonly mesh: Mesh;
  /** The keys of all Services. */
  readonly services: readonly Key[];
  readonly policies: readonly TrafficPolicy[];
}

/** Targets and backends that do not exist, stanzas that another policy displaces or that do nothing, cluster IPs that two Services have: each problem once, sorted. */
export function diagnose(world: World, compiler: Compiler): readonly Diagnostic[] {
  return tidy([...diagnoseEach(world, compiler)].flat());
}

/** The same piece by piece, for whoever has other things to do in between; some problems come more than once. */
export function* diagnoseEach(world: World, compiler: Compiler): Generator<readonly Diagnostic[]> {
  yield sharedClusterIPs(world);
  for (const policy of world.policies)
    yield [...missingTargets(world, policy), ...withoutHttp(world, policy), ...onPorts(world, policy), ...inEffect(world, compiler, policy)];
}

/** Each problem once, sorted. */
export function tidy(all: readonly Diagnostic[]): readonly Diagnostic[] {
  const unique = new Map(all.map((diagnostic) => [JSON.stringify(diagnostic), diagnostic]));
  return [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, diagnostic]) => diagnostic);
}

/** As a caller in the policy's own namespace, whom its rules bind in any case, would be served. */
function inEffect({ mesh, services }: World, compiler: Compiler, policy: TrafficPolicy): readonly Diagnostic[] {
  const targeted = policy.targetRefs.flatMap((target) => servicesOf(target, services));
  return renderAll(mesh, compiler, asCaller(policy.namespace), targeted).diagnostics;
}

/** As the Services' own pods carry it out. */
function onPorts({ mesh, services }: World, policy: TrafficPolicy): readonly Diagnostic[] {
  const own = policy.targetRefs.flatMap((target) => servicesOf(target, services)).flatMap((key) => mesh.service(key) ?? []);
  return own.filter(({ namespace }) => namespace === policy.namespace).flatMap((service) => serverProblems(mesh, service, policy));
}

function asCaller(namespace: string): Audience {
  return { namespace, zone: '', client: 'explicit', explicitPort: outboundPort, serviceAccount: 'default', labels: {}, ports: new Map() };
}

function servicesOf({ kind, namespace, name }: TargetRef, services: readonly Key[]): readonly Key[] {
  return kind === 'Service' ? [keyOf(namespace, name)] : services.filter((key) => key.startsWith(`${name}/`));
}

function missingTargets({ mesh }: World, policy: TrafficPolicy): readonly Diagnostic[] {
  return policy.targetRefs.flatMap((target, index) => {
    if (target.kind !== 'Service') return [];
    const service = mesh.service(keyOf(target.namespace, target.name));
    const field = `spec.targetRefs[${index}]`;
    if (!service)
      return [
        problem(policy, `${field}.name`, target.name, `there is no Service ${target.namespace}/${target.name}`, 'create the Service, or correct the name'),
      ];
    const { sectionName } = target;
    if (sectionName === undefined || service.ports.some(({ name }) => name === sectionName)) return [];
    const names = service.ports.map(({ name }) => name).filter(Boolean);
    return [
      problem(
        policy,
        `${field}.sectionName`,
        sectionName,
        `Service ${service.key} has no port of this name`,
        `use one of its port names: ${names.join(', ') || 'it has none'}`,
      ),
    ];
  });
}

/** Stanzas about requests; a TCP port has none. */
const aboutRequests: ReadonlySet<string> = new Set(
  features.filter(({ name, route, cluster }) => name === 'rules' || (route && !cluster)).map(({ name }) => name),
);

function withoutHttp({ mesh }: World, policy: TrafficPolicy): readonly Diagnostic[] {
  const stanzas = Object.keys(policy.stanzas).filter((name) => aboutRequests.has(name));
  return policy.targetRefs.flatMap((target) => {
    const service = target.kind === 'Service' ? mesh.service(keyOf(target.namespace, target.name)) : undefined;
    const ports = (service?.ports ?? []).filter(({ name }) => target.sectionName === undefined || name === target.sectionName);
    if (!service || ports.length === 0 || ports.some(({ protocol }) => protocol !== 'TCP')) return [];
    const message = `does nothing for redirected calls to Service ${service.key}, which are TCP and not HTTP: ${ports.map(reasonOf).join(', ')}`;
    const remedy = 'if it speaks HTTP, say so: appProtocol: http (or kubernetes.io/h2c, grpc) on the port, or a port name that begins with http';
    return stanzas.map((name) => warning(refTo(policy), `spec.${name}`, undefined, 'NotHttp', message, remedy));
  });
}

function reasonOf({ port, protocolReason }: ServicePort): string {
  return `port ${port} (${protocolReason})`;
}

/** Which of them is called there must not depend on the order in which they came: the first by name is. */
function sharedClusterIPs({ mesh, services }: World): readonly Diagnostic[] {
  return services.flatMap((key) => {
    const service = mesh.service(key);
    return (service?.clusterIPs ?? []).flatMap((address, index) => {
      const owner = mesh.at(address).service;
      if (!service || owner === undefined || owner === key) return [];
      const object = { kind: 'Service', namespace: service.namespace, name: service.name };
      const field = index === 0 ? 'spec.clusterIP' : `spec.clusterIPs[${index}]`;
      const message = `is the cluster IP of Service ${owner} too, to which all calls to it go`;
      return [warning(object, field, address, 'Conflicted', message, 'give each Service a cluster IP of its own')];
    });
  });
}

function problem(policy: TrafficPolicy, field: string, value: string, message: string, remedy: string): Diagnostic {
  return warning(refTo(policy), field, value, 'TargetNotFound', message, remedy);
}

function refTo({ namespace, name }: TrafficPolicy): ObjectRef {
  return { kind: 'TrafficPolicy', namespace, name };
}

function warning(object: ObjectRef, field: string, value: string | undefined, reason: string, message: string, remedy: string): Diagnostic {
  return { severity: 'warning', object, field, ...(value === undefined ? {} : { value: JSON.stringify(value) }), reason, message, remedy };
}
