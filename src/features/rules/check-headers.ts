import { type StanzaProblem, stanzaError } from '../feature.js';
import type { Filter } from './schema.js';

type Modifier = NonNullable<Filter['requestHeaderModifier']>;

interface Named {
  readonly name: string;
  /** `set[0].name`, `remove[1]`. */
  readonly place: string;
}

/** The problems of the header modifiers of a filter. */
export function checkHeaders({ requestHeaderModifier, responseHeaderModifier }: Filter, path: string): readonly StanzaProblem[] {
  return [
    ...(requestHeaderModifier ? checkModifier(requestHeaderModifier, `${path}.requestHeaderModifier`, /^set/) : []),
    ...(responseHeaderModifier ? checkModifier(responseHeaderModifier, `${path}.responseHeaderModifier`, /^$/) : []),
  ];
}

function checkModifier(modifier: Modifier, path: string, hostMayBe: RegExp): readonly StanzaProblem[] {
  const places = placesOf(modifier);
  return [...checkRepeated(places, path), ...checkHost(places, path, hostMayBe)];
}

function placesOf({ set = [], add = [], remove = [] }: Modifier): readonly Named[] {
  return [
    ...set.map(({ name }, index) => ({ name, place: `set[${index}].name` })),
    ...add.map(({ name }, index) => ({ name, place: `add[${index}].name` })),
    ...remove.map((name, index) => ({ name, place: `remove[${index}]` })),
  ];
}

/** A header may be named once in all three lists together, in whatever case. */
function checkRepeated(places: readonly Named[], path: string): readonly StanzaProblem[] {
  return places.flatMap(({ name, place }, index) => {
    const first = places.findIndex((other) => other.name.toLowerCase() === name.toLowerCase());
    return first === index ? [] : [stanzaError(`${path}.${place}`, name, `is named in ${places[first]?.place} already`, 'do one thing to each header')];
  });
}

/** A request has one Host, and an answer none; Envoy refuses a route that says otherwise. */
function checkHost(places: readonly Named[], path: string, hostMayBe: RegExp): readonly StanzaProblem[] {
  return places
    .filter(({ name, place }) => name.toLowerCase() === 'host' && !hostMayBe.test(place))
    .map(({ name, place }) =>
      stanzaError(`${path}.${place}`, name, 'can only be set, and only in a request', 'remove it, or write the new host in set of a requestHeaderModifier'),
    );
}
