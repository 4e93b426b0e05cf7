/** The incremental variant: how its requests are read and its responses are written. */
import { decode } from '../envoy/decode.js';
import { encode } from '../envoy/encode.js';
import type { ResourceType } from '../envoy/resource.js';
import type { DeltaDiscoveryRequest } from '../envoy/types.js';
import { absentVirtualHost, lengthPrefixed } from '../snapshot/resource.js';
import type { Batch } from './batch.js';
import type { Client } from './client.js';
import { type Protocol, wordsOf } from './protocol.js';
import { slices } from './slices.js';
import { isWildcardType, resourceTypeOf, urlOf } from './types.js';

/** The incremental variant for one stream. */
export function createDelta(): Protocol {
  return {
    variant: 'delta',
    traits: { pushEndpoints: true, isolate: true, oneAtATime: false, wholeTypes: new Set() },
    read: (bytes) => {
      const request = decode('envoy.service.discovery.v3.DeltaDiscoveryRequest', bytes);
      const { node, type_url = '', error_detail } = request;
      const refusal = error_detail && wordsOf(error_detail.message ?? '');
      return { node, typeUrl: type_url, refusal, steps: (client) => deltaSteps(client, request, refusal) };
    },
    write: (_, batch) => writeDelta(batch),
  };
}

/**
 * What a request asks of the client's state, in steps of bounded work. A request may acknowledge (or refuse) a response and
 * change subscriptions at once; the subscription counts whatever the nonce. Types that Weft does not serve are passed over.
 */
function deltaSteps(client: Client, request: DeltaDiscoveryRequest, refusal: string | undefined): readonly (() => void)[] {
  const type = resourceTypeOf(request.type_url ?? '');
  if (!type) return [];
  const asked = request.resource_names_subscribe ?? [];
  const dropped = request.resource_names_unsubscribe ?? [];
  const isFirst = !request.response_nonce && !client.types.has(type);
  const wildcard = asked.includes('*') || (isFirst && asked.length === 0 && isWildcardType(type));
  const names = asked.filter((name) => name !== '*');
  const held = Object.entries(request.initial_resource_versions ?? {});
  const steps = [() => answer(client, type, request.response_nonce, refusal)];
  for (const part of slices(held)) steps.push(() => client.subscribe(type, [], { wildcard: false, initial: new Map(part) }));
  const initial = new Map(held);
  for (const part of slices(names)) {
    const known = new Map(part.flatMap((name) => (initial.has(name) ? [[name, initial.get(name) ?? '']] : [])));
    steps.push(() => client.subscribe(type, part, { wildcard: false, initial: known }));
  }
  if (wildcard) steps.push(() => client.subscribe(type, [], { wildcard }));
  if (dropped.length > 0)
    steps.push(() =>
      client.unsubscribe(
        type,
        dropped.filter((name) => name !== '*'),
        dropped.includes('*'),
      ),
    );
  return steps;
}

function answer(client: Client, type: ResourceType, nonce: string | undefined, refusal: string | undefined): void {
  if (!nonce) return;
  if (refusal === undefined) client.acknowledge(type, nonce);
  else client.refuse(type, nonce, refusal);
}

/** A DeltaDiscoveryResponse around resources that were encoded before. */
function writeDelta({ type, nonce, send, absent, remove }: Batch): Buffer {
  const isVirtualHost = type === 'VirtualHost';
  const resources = send.map(({ delta }) => lengthPrefixed(0x12, delta));
  const bodyless = isVirtualHost ? absent.map((name) => lengthPrefixed(0x12, absentVirtualHost(name))) : [];
  const removed_resources = isVirtualHost ? remove : [...absent, ...remove];
  const rest = encode('envoy.service.discovery.v3.DeltaDiscoveryResponse', { type_url: urlOf(type), nonce, removed_resources });
  return Buffer.concat([...resources, ...bodyless, rest]);
}
