import { Value } from 'typebox/value';
import { type Spec, schemas } from '../features/gen/index.js';
import type { Effective } from './effective.js';

/** The stanzas that the compiler itself reads; of the others it only takes what their features contribute. */
type Read = 'rules' | 'loadBalancing' | 'tls';

const checked = new WeakMap<object, boolean>();

/** A stanza with its type. It was checked when the policy was read; here, once more for the compiler's sake, once per stanza. */
export function stanzaOf<Name extends Read>(effective: Effective, name: Name): Spec[Name] | undefined {
  const value = effective.get(name)?.value;
  return value && isValid(name, value) ? value : undefined;
}

function isValid<Name extends Read>(name: Name, value: object): value is NonNullable<Spec[Name]> {
  const known = checked.get(value) ?? Value.Check(schemas[name], value);
  checked.set(value, known);
  return known;
}
