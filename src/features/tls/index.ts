/** `tls`: whether the pods of a Service take calls without mutual TLS. */
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import type { Feature, StandIn } from '../feature.js';
import { object, oneOf } from '../fields.js';

const schema = object('Whether the pods of a Service take calls in plaintext. Calls between meshed pods use mutual TLS by themselves.', {
  mode: Type.Optional(
    oneOf('Strict: mutual TLS only; plaintext is refused. Permissive: both. Disabled: meshed callers use plaintext too. Left out: as the Mesh says.', [
      'Strict',
      'Permissive',
      'Disabled',
    ]),
  ),
});

/** The `tls` stanza. It decides which filter chains there are, so the compiler reads it. */
export const feature: Feature<'tls', typeof schema> = { name: 'tls', side: 'Server', schema, standIn };

/** A stanza that can be read says what it says; but what opens ports is not done to all Services of a namespace because nobody knows which are meant. */
function standIn(written: unknown, targets: 'Known' | 'Unknown'): StandIn<Static<typeof schema>> | undefined {
  if (!Value.Check(schema, written) || written.mode === 'Strict') return { value: { mode: 'Strict' }, effect: 'they take mutual TLS only' };
  return targets === 'Known' ? { value: written, effect: 'this stanza holds for them as it is written' } : undefined;
}
