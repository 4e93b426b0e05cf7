/** From what a status should say to the status as it is written: with times, and with what others have written beside. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { isPlain, listOf, textOf } from '../kubernetes/plain.js';
import { type DesiredAncestor, type DesiredStatus, idOf, maxAncestors } from './conditions.js';
import type { Condition } from './facts.js';

/** Who writes the ancestors that are ours. */
const controllerName = 'weft.dev/controller';

/**
 * The status to write, or undefined when `present` (the status on the server) says the same. The time of a condition is
 * kept while its status stays as it was. Ancestors of other controllers stay; where they leave too little room, the last of ours go.
 */
export function stampPolicy(desired: DesiredStatus, present: unknown, now: string): object | undefined {
  const all = listOf(present, 'ancestors');
  const others = all.filter((each) => textOf(each, 'controllerName') !== controllerName);
  const ours = new Map(all.filter((each) => !others.includes(each)).map((each) => [refIdOf(each), each]));
  const room = Math.max(0, maxAncestors - others.length);
  const next = {
    observedGeneration: desired.observedGeneration,
    ancestors: [...others, ...desired.ancestors.slice(0, room).map((ancestor) => stampAncestor(ancestor, ours.get(idOf(ancestor.ancestorRef)), now))],
  };
  return isDeepStrictEqual(plain(present), plain(next)) ? undefined : next;
}

/** The same for a status that is only a list of conditions, as that of a Mesh. */
export function stampConditions(desired: readonly Condition[], present: unknown, now: string): object | undefined {
  const next = { conditions: stamp(desired, present, now) };
  return isDeepStrictEqual(plain(present), plain(next)) ? undefined : next;
}

function stampAncestor({ ancestorRef, conditions, ...rest }: DesiredAncestor, present: unknown, now: string): object {
  return { ancestorRef, controllerName, conditions: stamp(conditions, present, now), ...rest };
}

function stamp(conditions: readonly Condition[], present: unknown, now: string): readonly object[] {
  const before = new Map(listOf(present, 'conditions').map((each) => [textOf(each, 'type'), each]));
  return conditions.map((condition) => {
    const earlier = before.get(condition.type);
    const since = textOf(earlier, 'status') === condition.status ? textOf(earlier, 'lastTransitionTime') : '';
    return { ...condition, lastTransitionTime: since || now };
  });
}

function refIdOf(ancestor: unknown): string {
  const ref = isPlain(ancestor) ? ancestor['ancestorRef'] : undefined;
  const [namespace, sectionName] = [textOf(ref, 'namespace'), textOf(ref, 'sectionName')];
  return idOf({ group: textOf(ref, 'group'), kind: textOf(ref, 'kind'), name: textOf(ref, 'name'), namespace, sectionName });
}

/** As JSON has it: without fields that are undefined. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
