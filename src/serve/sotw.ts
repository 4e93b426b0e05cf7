/** The state-of-the-world variant: how its requests are read and its responses are written. */
import { createHash } from 'node:crypto';
import { decode } from '../envoy/decode.js';
import { encode } from '../envoy/encode.js';
import type { ResourceType } from '../envoy/resource.js';
import type { DiscoveryRequest } from '../envoy/types.js';
import { lengthPrefixed } from '../snapshot/resource.js';
import type { Batch } from './batch.js';
import type { Client } from './client.js';
import { type Protocol, wordsOf } from './protocol.js';
import { slices } from './slices.js';
import { isWildcardType, resourceTypeOf, urlOf } from './types.js';

/** Types whose responses hold everything, so that what is missing has been removed. */
const wholeTypes: ReadonlySet<ResourceType> = new Set(['Cluster', 'Listener']);

/** The nonce of the last response of each type on a stream. */
type LastNonces = Map<ResourceType, string>;

/** The state-of-the-world variant for one stream. */
export function createSotw(): Protocol {
  const last: LastNonces = new Map();
  return {
    variant: 'sotw',
    traits: { pushEndpoints: false, isolate: false, oneAtATime: true, wholeTypes },
    read: (bytes) => {
      const request = decode('envoy.service.discovery.v3.DiscoveryRequest', bytes);
      const { node, type_url = '', error_detail } = request;
      const refusal = error_detail && wordsOf(error_detail.message ?? '');
      return { node, typeUrl: type_url, refusal, steps: (client) => sotwSteps(client, last, request, refusal) };
    },
    write: (client, batch) => writeSotw(client, last, batch),
  };
}

/**
 * What a request asks of the client's state, in steps of bounded work. A request with a nonce that is not the last one of its
 * type is stale: the client has since been sent something else, and will answer that too.
 */
function sotwSteps(client: Client, last: LastNonces, request: DiscoveryRequest, refusal: string | undefined): readonly (() => void)[] {
  const type = resourceTypeOf(request.type_url ?? '');
  if (!type || (request.response_nonce && last.get(type) !== request.response_nonce)) return [];
  const asked = request.resource_names ?? [];
  const known = client.types.get(type);
  const wildcard = asked.includes('*') || (isWildcardType(type) && asked.length === 0 && (!known || known.wildcard));
  const names = asked.filter((name) => name !== '*');
  const wanted = new Set(names);
  const dropped = [...(known?.explicit ?? [])].filter((name) => !wanted.has(name));
  const fresh = names.filter((name) => !known?.explicit.has(name));
  const steps = [() => answer(client, type, request.response_nonce, refusal)];
  for (const part of slices(fresh)) steps.push(() => client.subscribe(type, part, { wildcard: false }));
  if (wildcard && !known?.wildcard) steps.push(() => client.subscribe(type, [], { wildcard }));
  const endsWildcard = known?.wildcard === true && !wildcard;
  if (dropped.length > 0 || endsWildcard) steps.push(() => client.unsubscribe(type, dropped, endsWildcard));
  return steps;
}

function answer(client: Client, type: ResourceType, nonce: string | undefined, refusal: string | undefined): void {
  if (!nonce) return;
  if (refusal === undefined) client.acknowledge(type, nonce);
  else client.refuse(type, nonce, refusal);
}

/**
 * A DiscoveryResponse, or undefined when this variant has no words for the batch: that a route configuration or endpoints
 * are gone is told by the removal of what refers to them.
 */
function writeSotw(client: Client, last: LastNonces, { type, nonce, send, absent, remove }: Batch): Buffer | undefined {
  const holding = client.holding(type);
  const isWhole = wholeTypes.has(type);
  if (!isWhole && send.length === 0 && absent.length + remove.length > 0) {
    client.acknowledge(type, nonce);
    return undefined;
  }
  last.set(type, nonce);
  const resources = (isWhole ? holding : send).map(({ any }) => lengthPrefixed(0x12, any));
  const rest = encode('envoy.service.discovery.v3.DiscoveryResponse', { version_info: versionOf(holding), type_url: urlOf(type), nonce });
  return Buffer.concat([...resources, rest]);
}

/** The version of a set of resources: a hash of their names and versions, so that equal sets have equal versions everywhere. */
function versionOf(resources: readonly { readonly name: string; readonly version: string }[]): string {
  const hash = createHash('sha256');
  for (const { name, version } of resources) hash.update(`${name} ${version}\n`);
  return hash.digest('hex').slice(0, 16);
}
