/** What is wrong with policies as they stand among the other objects: what a schema cannot see. */

import { features } from '../features/gen/index.js';
import { standInForMany } from '../features/stand-in.js';
import type { Diagnostic } from '../model/diagnostic.js';
import { lastingLabels } from '../model/labels.js';
import type { Mesh } from '../model/mesh.js';
import { type Key, keyOf, type ObjectRef, splitKey } from '../model/name.js';
import type { TrafficPolicy } from '../model/policy.js';
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
  /** Those of them that are not in force, since their namespaces have too many. */
  readonly outOfBudget?: readonly Key[];
}

/** Targets and backends that do not exist, stanzas that another policy displaces or that do nothing, cluster IPs that two Services have: each problem once, sorted. */
export function diagnose(world: World, compiler: Compiler): readonly Diagnostic[] {
  return tidy([...diagnoseEach(world, compiler)].flat());
}

/** The same piece by piece, for whoever has other things to do in between; some problems come more than once. */
export function* diagnoseEach(world: World, compiler: Compiler): Generator<readonly Diagnostic[]> {
  yield sharedClusterIPs(world);
  yield tooMany(world);
  for (const policy of world.policies) yield [...missingTargets(world, policy), ...withoutHttp(world, policy), ...ofRevisions(world, policy)];
  // What policies come to is the same for all those of a namespace about a Service, however many they are.
  for (const [key, namespaces] of policed(world)) {
    const service = world.mesh.service(key);
    if (!service) continue;
    if (namespaces.has(service.namespace)) yield serverProblems(world.mesh, service);
    for (const namespace of namespaces) yield renderAll(world.mesh, compiler, asCaller(namespace), [key]).diagnostics;
  }
}

/** The Services that policies target, each with the namespaces of those policies, whose callers their rules bind in any case. */
function policed({ services, policies }: World): ReadonlyMap<Key, ReadonlySet<string>> {
  const byNamespace = groupBy(services, (key) => splitKey(key).namespace);
  const found = new Map<Key, Set<string>>();
  for (const { namespace, targetRefs } of policies) {
    for (const target of targetRefs) {
      const keys = target.kind === 'Service' ? [keyOf(target.namespace, target.name)] : (byNamespace.get(target.name) ?? []);
      for (const key of keys) found.set(key, (found.get(key) ?? new Set()).add(namespace));
    }
  }
  return found;
}

function tooMany({ policies, outOfBudget = [] }: World): readonly Diagnostic[] {
  const keys = new Set(outOfBudget);
  const byNamespace = groupBy(
    policies.filter(({ key }) => keys.has(key)),
    ({ namespace }) => namespace,
  );
  return [...byNamespace].flatMap(([namespace, left]) => [
    ...standInForMany(left).diagnostics,
    ...left.map((policy): Diagnostic => {
      const message = `has more TrafficPolicies than a namespace may have; this one is not in force, nor are ${left.length - 1} others, which are the youngest`;
      const remedy = 'delete policies that are not needed, or merge some: 1,000 count, of 8 MiB together';
      return {
        severity: 'error',
        object: refTo(policy),
        field: 'metadata.namespace',
        value: JSON.stringify(namespace),
        reason: 'TooManyPolicies',
        message,
        remedy,
      };
    }),
  ]);
}

/** Each problem once, sorted. */
export function tidy(all: readonly Diagnostic[]): readonly Diagnostic[] {
  const unique = new Map(all.map((diagnostic) => [JSON.stringify(diagnostic), diagnostic]));
  return [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, diagnostic]) => diagnostic);
}

/** What holds for Pods holds for all revisions of them, also where the Service leads to one only. */
function ofRevisions({ mesh }: World, policy: TrafficPolicy): readonly Diagnostic[] {
  const stanzas = Object.keys(policy.stanzas).filter((name) => onPods.has(name));
  return policy.targetRefs.flatMap((target) => {
    const service = target.kind === 'Service' && target.namespace === policy.namespace ? mesh.service(keyOf(target.namespace, target.name)) : undefined;
    const lasting = Object.keys(lastingLabels(service?.selector ?? {}));
    const passing = Object.keys(service?.selector ?? {}).filter((name) => !lasting.includes(name));
    if (!service || passing.length === 0) return [];
    const ignores = `the selector of Service ${service.key} asks for ${passing.join(', ')}, which policies about Pods do not look at`;
    const message = lasting.length > 0 ? `binds all Pods with the other labels: ${ignores}` : `binds no Pods: ${ignores}`;
    return stanzas.map((name) => warning(refTo(policy), `spec.${name}`, undefined, 'Invalid', message, 'select the Pods by a label of their own'));
  });
}

/** Stanzas that the Service's own Pods carry out. */
const onPods: ReadonlySet<string> = new Set<string>(features.filter(({ side }) => side === 'Server').map(({ name }) => name));

function asCaller(namespace: string): Audience {
  return { namespace, zone: '', client: 'explicit', explicitPort: outboundPort, serviceAccount: 'default', labels: {}, ports: new Map() };
}

function groupBy<Item>(items: readonly Item[], groupOf: (item: Item) => string): ReadonlyMap<string, readonly Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(groupOf(item));
    if (group) group.push(item);
    else groups.set(groupOf(item), [item]);
  }
  return groups;
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
