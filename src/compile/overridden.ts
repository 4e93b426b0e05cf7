/** Which stanzas of which policies other policies displace, and for whom: what each policy's status tells. */
import type { Mesh } from '../model/mesh.js';
import { formatRef, type Key, keyOf, type ObjectRef } from '../model/name.js';
import type { TrafficPolicy } from '../model/policy.js';
import type { Service, ServicePort } from '../model/service.js';
import { effectiveFor } from './effective.js';

/** A stanza that does not hold, as its policy is told. */
export interface OverriddenStanza {
  readonly stanza: string;
  readonly by: ObjectRef;
  /** For which callers and ports; left out where for all that the policy is about. */
  readonly scope?: string | undefined;
  /** Whether both are of the same level, so that only age decided. */
  readonly conflict: boolean;
}

/** The displaced stanzas of a policy, sorted by stanza and by who displaces it. `services` are the keys of all Services. */
export function overriddenStanzas(mesh: Mesh, services: readonly Key[], policy: TrafficPolicy): readonly OverriddenStanza[] {
  const targets = targetsOf(mesh, services, policy);
  const losses = new Map<string, Loss>();
  for (const target of targets) collect(mesh, policy, target, losses);
  return [...losses].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, loss]) => toStanza(loss, targets.length));
}

interface Target {
  readonly service: Service;
  readonly port: ServicePort;
}

/** All losses of one stanza to one policy, for the same callers. */
interface Loss {
  readonly stanza: string;
  readonly by: ObjectRef;
  readonly callers: string;
  conflict: boolean;
  readonly places: string[];
}

function targetsOf(mesh: Mesh, services: readonly Key[], { targetRefs }: TrafficPolicy): readonly Target[] {
  const ports = targetRefs.flatMap(({ kind, namespace, name, sectionName }) => {
    const keys = kind === 'Service' ? [keyOf(namespace, name)] : services.filter((key) => key.startsWith(`${name}/`));
    return keys.flatMap((key) => portsOf(mesh.service(key), sectionName));
  });
  return [...new Map(ports.map((target) => [placeOf(target), target])).values()];
}

function portsOf(service: Service | undefined, sectionName: string | undefined): readonly Target[] {
  return (service?.ports ?? []).flatMap((port) => (service && (sectionName === undefined || port.name === sectionName) ? [{ service, port }] : []));
}

function placeOf({ service, port }: Target): string {
  return `port ${port.port} of Service ${service.key}`;
}

/** As each namespace sees it that has policies of its own about the Service, and as all others do. */
function collect(mesh: Mesh, policy: TrafficPolicy, target: Target, losses: Map<string, Loss>): void {
  const { service, port } = target;
  const isConsumer = policy.namespace !== service.namespace;
  const others = isConsumer ? [] : mesh.policies(service.key).map(({ namespace }) => namespace);
  for (const callers of new Set([policy.namespace, ...others])) {
    for (const { policy: loser, stanza, by, conflict } of effectiveFor(mesh, service, port, callers).overridden) {
      if (loser.namespace !== policy.namespace || loser.name !== policy.name) continue;
      const isForSome = !isConsumer && by.namespace !== service.namespace;
      note(losses, { stanza, by, callers: isForSome ? callers : '', conflict, places: [placeOf(target)] });
    }
  }
}

function note(losses: Map<string, Loss>, loss: Loss): void {
  const id = `${loss.stanza} ${formatRef(loss.by)} ${loss.callers}`;
  const known = losses.get(id);
  if (!known) losses.set(id, loss);
  else {
    known.conflict ||= loss.conflict;
    known.places.push(...loss.places.filter((place) => !known.places.includes(place)));
  }
}

const shownPlaces = 3;

function toStanza({ stanza, by, callers, conflict, places }: Loss, all: number): OverriddenStanza {
  const more = places.length > shownPlaces ? [`${places.length - shownPlaces} more`] : [];
  const where = places.length < all ? [...places.slice(0, shownPlaces), ...more].join(', ') : '';
  const scope = [callers && `callers in namespace ${callers}`, where].filter(Boolean).join('; ');
  return { stanza, by, ...(scope ? { scope } : {}), conflict };
}
