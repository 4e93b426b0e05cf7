import { type Static, Type } from 'typebox';
import { label, list, object, oneOf } from './fields.js';

const targetRef = object(
  'What the policy is about.',
  {
    group: Type.Optional(Type.Enum([''], { description: 'The API group: the core group.', default: '' })),
    kind: oneOf('Service: one Service. Namespace: all Services of a namespace, as defaults.', ['Service', 'Namespace']),
    name: label('The name of the Service or Namespace.'),
    namespace: Type.Optional(
      label("The Service's namespace. Left out: that of the policy. In another namespace than its own, a policy binds the callers in its own namespace only."),
    ),
    sectionName: Type.Optional(label('The name of a port of the Service; the policy is then about this port only.')),
  },
  { rule: "!has(self.sectionName) || self.kind == 'Service'", message: 'sectionName goes with kind Service only' },
  { rule: "!has(self.namespace) || self.kind == 'Service'", message: 'namespace goes with kind Service only' },
);

/** The `targetRefs` of a policy. */
export const targetRefs = list('What the policy is about: Services (or one port of them), or all Services of Namespaces.', targetRef, { min: 1, max: 16 });

/** One item of `targetRefs`, as written. */
export type RawTargetRef = Static<typeof targetRef>;
