/** The schemas of fields that several kinds have. */
import { type TSchemaOptions, Type } from 'typebox';
import type { Words } from './check.js';

/** A name that becomes part of a key (RFC 1123 subdomain, as Kubernetes has it). */
const objectName = Type.String({
  ...words('a name of lower-case letters, digits, "-" and ".", at most 253 long', 'give the object a name such as reviews-v1'),
  pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
  maxLength: 253,
});

/** A name that becomes a label of a host name (RFC 1123). */
const namespaceName = Type.String({
  ...words(
    'the name of a namespace: lower-case letters, digits and "-", at most 63 long',
    'write the name of the namespace, or leave the field out for default',
  ),
  pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
  maxLength: 63,
});

/** Labels, annotations or a selector. */
export const labels = Type.Record(
  Type.String(),
  Type.String(words('text', 'put the value in quotation marks')),
  words('a map of texts', 'write one "name: value" a line'),
);

/** What the mesh reads of `metadata`. */
export const metadata = Type.Object(
  {
    name: objectName,
    namespace: Type.Optional(namespaceName),
    labels: Type.Optional(labels),
    uid: Type.Optional(text('the uid that the API server gave', 'leave the field out')),
    creationTimestamp: Type.Optional(text('a time', 'leave the field out')),
  },
  words('a map with at least a name', 'add metadata with the name of the object'),
);

/** A port number. */
export const portNumber = Type.Integer({
  ...words('a whole number from 1 to 65535', 'write the number of the port, such as 8080'),
  minimum: 1,
  maximum: 65_535,
});

/** A port's transport protocol, as far as Kubernetes knows them; TCP where it is left out. */
export const transport = Type.Enum(['TCP', 'UDP', 'SCTP'], words('TCP, UDP or SCTP', 'write TCP, or leave the field out; HTTP and such belong in appProtocol'));

/** A field that holds text. */
export function text(expected: string, remedy: string) {
  return Type.String(words(expected, remedy));
}

/** A field that is true or false. */
export const flag = Type.Boolean(words('true or false', 'write true or false, without quotation marks'));

/** The words of a schema, in the form that goes into its options. */
export function words(expected: string, remedy: string): Words & TSchemaOptions {
  return { expected, remedy };
}
