/** The shapes of what Weft writes into a status: a policy's is the Gateway API's PolicyStatus (GEP-713), with what the proxies say. Written by Weft only. */
import { Type } from 'typebox';
import { list, object, oneOf, text, whole } from './fields.js';

const generation = whole('The generation of the object that this is about.', { min: 0, max: Number.MAX_SAFE_INTEGER });
const proxyCount = (description: string) => whole(description, { min: 0, max: 2_147_483_647 });

const condition = object('One thing that is so, or not.', {
  type: text('Accepted, ResolvedRefs, Programmed, Conflicted or Overridden.', { max: 316 }),
  status: oneOf('Whether it is so.', ['True', 'False', 'Unknown']),
  reason: text('Why, in one word.', { max: 1024 }),
  message: text('Why, in a sentence.', { min: 0, max: 32768 }),
  lastTransitionTime: Type.String({ description: 'Since when.', format: 'date-time' }),
  observedGeneration: Type.Optional(generation),
});

/** The `conditions` of a status. */
export const conditions = list('What is so, and what is not.', condition, { max: 8, type: { map: 'type' } });

const ancestorRef = object('What of the `targetRefs` this is about.', {
  group: Type.Optional(text('The API group.', { min: 0, max: 253 })),
  kind: Type.Optional(text('Service or Namespace.', { max: 63 })),
  namespace: Type.Optional(text('The namespace of the Service.', { max: 63 })),
  name: text('The name of the Service or Namespace.', { max: 253 }),
  sectionName: Type.Optional(text('The name of the port.', { max: 253 })),
});

const proxies = object('How many proxies this concerns, and what they said. Bounded numbers, never a list.', {
  matched: proxyCount('Connected proxies that hold a resource which this policy shapes.'),
  acknowledged: proxyCount('Of these, how many run this generation.'),
  rejected: proxyCount('Of these, how many refused it.'),
  pending: proxyCount('Of these, how many have not answered yet.'),
});

const lastRejection = object('What a proxy refused last.', {
  proxy: text('The proxy, as namespace/pod.', { max: 320 }),
  resource: text('The Envoy resource.', { max: 1024 }),
  stanza: Type.Optional(text('The stanza that shaped it.', { max: 320 })),
  message: text("Envoy's words.", { max: 4096 }),
});

const overridden = object('A stanza of this policy that does not take effect.', {
  stanza: text('The stanza.', { max: 320 }),
  by: text('The policy whose stanza does.', { max: 640 }),
  scope: Type.Optional(text('For which callers.', { max: 640 })),
});

const ancestor = object('How it is with one target.', {
  ancestorRef,
  controllerName: text('Who wrote this: weft.dev/controller.', { max: 253 }),
  conditions: Type.Optional(conditions),
  proxies: Type.Optional(proxies),
  lastRejection: Type.Optional(lastRejection),
  overridden: Type.Optional(list('The stanzas that another policy has decided.', overridden, { max: 16 })),
});

/** The `status` of a TrafficPolicy. */
export const statusSchema = object('What became of the policy. Written by Weft.', {
  observedGeneration: Type.Optional(generation),
  ancestors: Type.Optional(list('One item for each of the `targetRefs`.', ancestor, { max: 16 })),
});
