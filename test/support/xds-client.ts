/** xDS over real gRPC, as a test wants it: messages in and out as bytes or reduced, waited for as events. */
import * as grpc from '@grpc/grpc-js';
import { encode } from '../../src/envoy/encode.js';
import type { ResourceType } from '../../src/envoy/resource.js';
import type { DeltaDiscoveryRequest, DiscoveryRequest } from '../../src/envoy/types.js';
import { urlOf } from '../../src/serve/types.js';
import { type Reply, readDelta, readSotw } from './peer.js';

/** The two methods of ADS. */
export const adsPath = {
  delta: '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources',
  sotw: '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources',
} as const;

/** How a stream ended. */
export interface Ended {
  readonly code: grpc.status;
  readonly details: string;
}

/** One stream of bytes. */
export interface ByteStream {
  readonly call: grpc.ClientDuplexStream<Buffer, Buffer>;
  readonly send: (bytes: Buffer) => void;
  /** The next message; rejects when the stream ends before it. */
  readonly next: () => Promise<Buffer>;
  readonly ended: Promise<Ended>;
  readonly cancel: () => void;
}

/** One ADS stream. */
export interface XdsStream<Request> extends Pick<ByteStream, 'call' | 'ended' | 'cancel'> {
  readonly request: (type: ResourceType, fields?: Omit<Request, 'type_url'>) => void;
  readonly ack: (reply: Reply) => void;
  readonly nack: (reply: Reply, message: string) => void;
  /** The next response, acknowledged. */
  readonly take: () => Promise<Reply>;
  /** The next response, not answered. */
  readonly next: () => Promise<Reply>;
}

/** A connection of its own to a server on loopback. */
export function connect(port: number, credentials = grpc.credentials.createInsecure(), options: grpc.ClientOptions = {}): grpc.Client {
  return new grpc.Client(`localhost:${port}`, credentials, { 'grpc.use_local_subchannel_pool': 1, ...options });
}

const asIs = (bytes: Buffer): Buffer => bytes;

/** Opens a stream of any method. Nothing is read from it until the first `next`. */
export function openBytes(client: grpc.Client, path: string, metadata = new grpc.Metadata()): ByteStream {
  const call = client.makeBidiStreamRequest(path, asIs, asIs, metadata);
  const ended = new Promise<Ended>((resolve) => call.on('status', ({ code, details }) => resolve({ code, details })));
  call.on('error', () => {});
  const messages = call[Symbol.asyncIterator]();
  const next = async () => {
    const over = ended.then(({ code, details }) => Promise.reject(new Error(`the stream ended: ${code} ${details}`)));
    const result = await Promise.race([messages.next(), over]);
    return result.value ?? over;
  };
  return { call, send: (bytes) => void call.write(bytes), next, ended, cancel: () => call.cancel() };
}

/** Asks a unary method. */
export function ask(client: grpc.Client, path: string, request: Buffer = Buffer.alloc(0), metadata = new grpc.Metadata()): Promise<Buffer | Ended> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, asIs, asIs, request, metadata, (error, answer) => resolve(error ?? answer ?? Buffer.alloc(0)));
  });
}

/** The node of a test client: its id also names its workload. */
export const nodeOf = (id: string) => ({ id, cluster: 'test' });

/** A delta stream; the node goes with the first request. */
export function openDelta(client: grpc.Client, id = 'web', metadata?: grpc.Metadata): XdsStream<DeltaDiscoveryRequest> {
  const stream = openBytes(client, adsPath.delta, metadata);
  const write = (fields: DeltaDiscoveryRequest) => stream.send(encode('envoy.service.discovery.v3.DeltaDiscoveryRequest', fields));
  return xdsStream(stream, id, readDelta, write);
}

/** A state-of-the-world stream. */
export function openSotw(client: grpc.Client, id = 'web', metadata?: grpc.Metadata): XdsStream<DiscoveryRequest> {
  const stream = openBytes(client, adsPath.sotw, metadata);
  const names = new Map<string, readonly string[]>();
  const write = (fields: DiscoveryRequest) => {
    const { type_url = '' } = fields;
    names.set(type_url, fields.resource_names ?? names.get(type_url) ?? []);
    stream.send(encode('envoy.service.discovery.v3.DiscoveryRequest', { ...fields, resource_names: [...(names.get(type_url) ?? [])] }));
  };
  return xdsStream(stream, id, readSotw, write);
}

interface Answer {
  readonly type_url: string;
  readonly node?: { readonly id: string; readonly cluster: string };
  readonly response_nonce?: string;
  readonly error_detail?: { readonly code: number; readonly message: string };
}

function xdsStream<Request>(stream: ByteStream, id: string, read: (bytes: Buffer) => Reply, write: (fields: Answer) => void): XdsStream<Request> {
  let isFirst = true;
  const request = (type: ResourceType, fields: object = {}) => {
    write({ type_url: urlOf(type), ...(isFirst ? { node: nodeOf(id) } : {}), ...fields });
    isFirst = false;
  };
  const next = async () => read(await stream.next());
  const ack = ({ type, nonce }: Reply) => request(type, { response_nonce: nonce });
  return {
    ...{ call: stream.call, ended: stream.ended, cancel: stream.cancel, request, next, ack },
    nack: ({ type, nonce }, message) => request(type, { response_nonce: nonce, error_detail: { code: 3, message } }),
    take: async () => {
      const reply = await next();
      ack(reply);
      return reply;
    },
  };
}
