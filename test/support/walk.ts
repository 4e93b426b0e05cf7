/** Calls every method that a server has, as it says itself, so that none can be forgotten. */
import * as grpc from '@grpc/grpc-js';
import { encode } from '../../src/envoy/encode.js';
import type { ServedMethod } from '../../src/serve/server.js';
import { ask, nodeOf, openBytes } from './xds-client.js';

/** How a call has ended. */
export interface Outcome {
  readonly path: string;
  /** OK where there was an answer. */
  readonly code: grpc.status;
  readonly details: string;
}

/** Metadata with a bearer token; a token that is left out leaves the header out. */
export function bearer(token?: string): grpc.Metadata {
  const metadata = new grpc.Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

/** One call of each method, with a first request that names a node. */
export function walk(methods: readonly ServedMethod[], client: grpc.Client, metadata: grpc.Metadata, nodeId = 'web'): Promise<readonly Outcome[]> {
  return Promise.all(methods.map((method) => call(method, client, metadata, nodeId)));
}

async function call({ path, isStream }: ServedMethod, client: grpc.Client, metadata: grpc.Metadata, nodeId: string): Promise<Outcome> {
  const answered = { path, code: grpc.status.OK, details: '' };
  if (!isStream) {
    const answer = await ask(client, path, Buffer.alloc(0), metadata);
    return Buffer.isBuffer(answer) ? answered : { path, code: answer.code, details: answer.details };
  }
  const stream = openBytes(client, path, metadata);
  stream.send(firstRequest(path, nodeId));
  const outcome = await Promise.race([stream.next().then(() => answered), stream.ended.then((ended) => ({ path, ...ended }))]).catch(() => stream.ended);
  stream.cancel();
  return { ...outcome, path };
}

function firstRequest(path: string, nodeId: string): Buffer {
  const fields = { node: nodeOf(nodeId), type_url: 'type.googleapis.com/envoy.config.cluster.v3.Cluster' };
  if (path.endsWith('DeltaAggregatedResources')) return encode('envoy.service.discovery.v3.DeltaDiscoveryRequest', fields);
  if (path.endsWith('StreamAggregatedResources')) return encode('envoy.service.discovery.v3.DiscoveryRequest', fields);
  return Buffer.alloc(0);
}
