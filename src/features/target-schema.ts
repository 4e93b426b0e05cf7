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
  {
    rule: "!has(self.sectionName) || self.kind == 'Service'",
    field: 'sectionName',
    message: 'goes with kind Service only',
    remedy: 'remove it, or name a Service',
  },
  {
    rule: "!has(self.namespace) || self.kind == 'Service'",
    field: 'namespace',
    message: 'goes with kind Service only',
    remedy: 'remove it; the name is the namespace',
  },
);

/** The `targetRefs` of a policy. */
export const targetRefs = list('What the policy is about: Services (or one port of them), or all Services of Namespaces.', targetRef, {
  min: 1,
  max: 16,
  rules: [
    {
      rule: 'self.all(a, self.exists_one(b, b == a))',
      message: 'no target may stand twice in targetRefs',
      remedy: 'remove one of the two',
    },
  ],
});

/** One item of `targetRefs`, as written. */
export type RawTargetRef = Static<typeof targetRef>;
