/** `tls`: whether the pods of a Service take calls without mutual TLS. */
import { Type } from 'typebox';
import type { Feature } from '../feature.js';
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
export const feature: Feature<'tls', typeof schema> = { name: 'tls', side: 'Server', schema };
