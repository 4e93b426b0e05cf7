/** The schema of a TrafficPolicy, composed from the stanzas that there are. */
import { type Static, Type } from 'typebox';
import { object, oneOf, subdomain } from './fields.js';
import { schemas } from './gen/index.js';
import { apiVersion, serverMetadata } from './object-schema.js';
import { targetRefs } from './target-schema.js';

/** What a policy says. Every stanza may be left out. */
export const specSchema = object('How calls to some Services behave. Each stanza says one thing; those left out change nothing.', {
  targetRefs,
  mode: Type.Optional(oneOf('Enforce: it takes effect. Shadow: its effect is reported, and nothing changes.', ['Enforce', 'Shadow'], { default: 'Enforce' })),
  ...Type.Partial(Type.Object(schemas)).properties,
});

const metadata = Type.Object({
  name: subdomain('The name of the policy.'),
  namespace: Type.Optional(subdomain('The namespace of the policy.')),
  ...serverMetadata,
});

/** The whole object, as the API server or a file gives it: `metadata` may hold more, and `status` anything. */
export const policySchema = object('A TrafficPolicy.', {
  apiVersion: Type.Enum([apiVersion]),
  kind: Type.Enum(['TrafficPolicy']),
  metadata,
  spec: specSchema,
  status: Type.Optional(Type.Unknown()),
});

/** A TrafficPolicy as written, checked. */
export type RawPolicy = Static<typeof policySchema>;
