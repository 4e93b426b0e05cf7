/** What the schemas of Weft's own kinds have in common. */
import { Type } from 'typebox';
import { text, whole } from './fields.js';

/** The group and version of all of them. */
export const apiVersion = 'weft.dev/v1alpha1';

/** What the API server writes into the metadata that concerns Weft; a folder's YAML has none of it. */
export const serverMetadata = {
  creationTimestamp: Type.Optional(Type.Union([text('When it was created, RFC 3339.', { max: 64 }), Type.Null()])),
  generation: Type.Optional(whole('Counts the changes of the spec.', { min: 0, max: Number.MAX_SAFE_INTEGER })),
};
