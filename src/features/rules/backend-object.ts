import { type TProperties, Type } from 'typebox';
import type { CelRule } from '../cel.js';
import { label, object, oneOf, port } from '../fields.js';

const reference = {
  group: Type.Optional(Type.Enum([''], { description: 'The API group of the backend: the core group.', default: '' })),
  kind: Type.Optional(oneOf('The kind of the backend.', ['Service'], { default: 'Service' })),
  name: label('The name of the Service.'),
  namespace: Type.Optional(label("The Service's namespace. Left out: that of the policy.")),
  port: port('The port of the Service (not that of its pods).'),
} as const;

/** BackendObjectReference of the Gateway API, with more fields after those that every reference has. */
export function backendObject<More extends TProperties>(description: string, more: More, ...rules: readonly CelRule[]) {
  return object(description, { ...reference, ...more }, ...rules);
}
