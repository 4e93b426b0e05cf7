/** Keeping the identity of what did not change, since identity is the cache key of everything that is derived. */
import { isDeepStrictEqual } from 'node:util';
import type { TrafficPolicy } from '../../model/policy.js';
import type { Service } from '../../model/service.js';

/** The present value where the next one says the same, else the next one. */
export function keep<T>(present: T | undefined, next: T): T {
  return present !== undefined && isDeepStrictEqual(present, next) ? present : next;
}

/** The next list, with each element that equals the one of the same name in the present list replaced by that one; the present list where all are. */
export function keepElements<T>(present: readonly T[], next: readonly T[], nameOf: (element: T) => string): readonly T[] {
  const byName = new Map(present.map((element) => [nameOf(element), element]));
  const kept = next.map((element) => keep(byName.get(nameOf(element)), element));
  return kept.length === present.length && kept.every((element, index) => element === present[index]) ? present : kept;
}

/** Like {@link keep}, and the ports that did not change stay the same objects too. */
export function keepService(present: Service | undefined, next: Service): Service {
  const kept = keep(present, next);
  if (!present || kept === present) return kept;
  return { ...next, ports: keepElements(present.ports, next.ports, (port) => port.name) };
}

/** Like {@link keep}, and the stanzas that did not change stay the same objects too: they are compiled one by one. */
export function keepPolicy(present: TrafficPolicy | undefined, next: TrafficPolicy): TrafficPolicy {
  const kept = keep(present, next);
  if (!present || kept === present) return kept;
  const stanzas = Object.entries(next.stanzas).map(([name, stanza]) => [name, keep(present.stanzas[name], stanza)]);
  return { ...next, stanzas: Object.fromEntries(stanzas) };
}
