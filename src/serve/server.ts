/** The gRPC port: the only file that knows grpc-js. Every method, streaming or not, goes through the same `authenticate`. */
import http2 from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { decode } from '../envoy/decode.js';
import { encode } from '../envoy/encode.js';
import type { Message, MessageName } from '../envoy/types.js';
import { type AdsContext, type AdsSession, createSession } from './ads.js';
import { clientStatus } from './csds.js';
import { createDelta } from './delta.js';
import { defaultServeLimits, type ServeLimits } from './limits.js';
import type { Protocol } from './protocol.js';
import { createSotw } from './sotw.js';

/** PEM texts for TLS; with `clientCa`, clients must show a certificate of that authority. */
export interface ServeTls {
  readonly certificate: string;
  readonly key: string;
  readonly clientCa?: string | undefined;
}

/** What a server is made of. */
export interface ServerOptions<Audience> {
  /** `host:port`; port 0 takes a free one. */
  readonly listen: string;
  /** Left out, the port is plaintext. */
  readonly tls?: ServeTls | undefined;
  readonly context: AdsContext<Audience>;
  /** Why a caller is refused, or undefined when it is welcome. */
  readonly authenticate: (metadata: grpc.Metadata, peer: string) => string | undefined;
  readonly limits?: ServeLimits | undefined;
}

/** A listening server. */
export interface XdsServer {
  readonly port: number;
  /** Ends every stream and stops listening. */
  readonly close: () => Promise<void>;
}

type Duplex = grpc.ServerDuplexStream<Buffer, Buffer>;

/** Starts to listen. Rejects when the address cannot be had. */
export async function startServer<Audience>(options: ServerOptions<Audience>): Promise<XdsServer> {
  const limits = options.limits ?? defaultServeLimits;
  const server = new grpc.Server(channelOptions(limits));
  const sessions = new Map<AdsSession, Duplex>();
  const stream = (protocol: () => Protocol) => (call: Duplex) => serveStream(options, limits, sessions, protocol(), call);
  server.addService(
    { StreamAggregatedResources: method(ads, 'StreamAggregatedResources', true), DeltaAggregatedResources: method(ads, 'DeltaAggregatedResources', true) },
    { StreamAggregatedResources: stream(createSotw), DeltaAggregatedResources: stream(createDelta) },
  );
  server.addService(
    { StreamClientStatus: method(csds, 'StreamClientStatus', true), FetchClientStatus: method(csds, 'FetchClientStatus', false) },
    { StreamClientStatus: (call: Duplex) => serveStatusStream(options, call), FetchClientStatus: unary(options, (request) => status(options, request)) },
  );
  server.addService({ Check: method(health, 'Check', false) }, { Check: unary(options, () => serving) });
  const port = await bind(server, options);
  const watch = setInterval(() => endOverdue(options.context.clock(), limits, sessions), 1000);
  watch.unref();
  return {
    port,
    close: async () => {
      clearInterval(watch);
      server.forceShutdown();
      for (const session of sessions.keys()) session.close();
    },
  };
}

const ads = 'envoy.service.discovery.v3.AggregatedDiscoveryService';
const csds = 'envoy.service.status.v3.ClientStatusDiscoveryService';
const health = 'grpc.health.v1.Health';

/** grpc.health.v1.HealthCheckResponse{status: SERVING}. */
const serving = Buffer.from([0x08, 0x01]);

function channelOptions(limits: ServeLimits): grpc.ServerOptions {
  return {
    'grpc.max_receive_message_length': limits.requestBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': limits.streamsPerConnection,
    'grpc.max_connection_age_ms': limits.connectionAgeMs,
    'grpc.max_connection_age_grace_ms': limits.connectionGraceMs,
    'grpc.keepalive_time_ms': limits.keepaliveMs,
    'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMs,
    'grpc-node.max_session_memory': limits.sessionMegabytes,
  };
}

/** Messages are bytes on both sides: requests are decoded by us, strictly and late; responses were encoded long before. */
function method(service: string, name: string, isStream: boolean): grpc.MethodDefinition<Buffer, Buffer> {
  const asIs = (bytes: Buffer) => bytes;
  return {
    path: `/${service}/${name}`,
    requestStream: isStream,
    responseStream: isStream,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
}

async function bind<Audience>(server: grpc.Server, { listen, tls }: ServerOptions<Audience>): Promise<number> {
  const credentials = tls
    ? grpc.ServerCredentials.createSsl(
        tls.clientCa ? Buffer.from(tls.clientCa) : null,
        [{ cert_chain: Buffer.from(tls.certificate), private_key: Buffer.from(tls.key) }],
        tls.clientCa !== undefined,
      )
    : grpc.ServerCredentials.createInsecure();
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, credentials, (error, port) => (error ? reject(error) : resolve(port)));
  });
}

function serveStream<Audience>(
  options: ServerOptions<Audience>,
  limits: ServeLimits,
  sessions: Map<AdsSession, Duplex>,
  protocol: Protocol,
  call: Duplex,
): void {
  const refusal = options.authenticate(call.metadata, call.getPeer());
  if (refusal) return fail(call, grpc.status.UNAUTHENTICATED, refusal);
  if (sessions.size >= limits.streams) return fail(call, grpc.status.RESOURCE_EXHAUSTED, `this server has ${limits.streams} streams already`);
  const onDefect = (error: unknown) => {
    options.context.onDefect?.(error);
    fail(call, grpc.status.INTERNAL, 'a response could not be composed');
  };
  const session = createSession(options.context, protocol, { peer: call.getPeer(), write: (message, done) => call.write(message, done), onDefect });
  sessions.set(session, call);
  const timer = setTimeout(() => {
    if (!session.hasBegun()) fail(call, grpc.status.DEADLINE_EXCEEDED, 'no request has come');
  }, limits.firstRequestMs);
  const end = () => {
    clearTimeout(timer);
    sessions.delete(session);
    session.close();
  };
  for (const event of ['close', 'cancelled', 'error', 'end']) call.on(event, end);
  receive(call, session.receive);
}

/** Requests one after another: while one is being worked on, no further one is read. Ends the stream at the first bad one. */
function receive(call: Duplex, take: (request: Buffer) => Promise<void>): void {
  call.on('data', (request: Buffer) => {
    call.pause();
    take(request).then(
      () => call.resume(),
      (error: unknown) => fail(call, grpc.status.INVALID_ARGUMENT, textOf(error)),
    );
  });
  call.on('end', () => call.end());
}

function fail(call: Duplex, code: grpc.status, details: string): void {
  call.emit('error', { code, details: words(details) });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Text for a header: short, and without halves of surrogate pairs, which cannot be encoded there and may come from a client. */
function words(text: string): string {
  return Buffer.from(text.slice(0, 500)).toString();
}

function endOverdue(now: number, limits: ServeLimits, sessions: ReadonlyMap<AdsSession, Duplex>): void {
  for (const [session, call] of [...sessions]) {
    const since = session.waitingSince();
    if (since !== undefined && now - since > limits.unreadMs) {
      fail(call, grpc.status.UNAVAILABLE, 'the client has not read for too long');
      reset(call);
    }
  }
}

/**
 * Resets the HTTP/2 stream. The status of a call comes after its messages, so a client that does not read would keep both
 * for ever; grpc-js has no method for this, hence the look inside.
 */
function reset(call: Duplex): void {
  const stream = property(property(call, 'call'), 'stream');
  const close = property(stream, 'close');
  if (typeof close === 'function') close.call(stream, http2.constants.NGHTTP2_CANCEL);
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function serveStatusStream<Audience>(options: ServerOptions<Audience>, call: Duplex): void {
  const refusal = options.authenticate(call.metadata, call.getPeer());
  if (refusal) return fail(call, grpc.status.UNAUTHENTICATED, refusal);
  receive(call, async (request) => {
    const answer = status(options, request);
    await new Promise((resolve) => call.write(answer, resolve));
  });
}

function status<Audience>({ context }: ServerOptions<Audience>, request: Buffer): Buffer {
  return message(
    'envoy.service.status.v3.ClientStatusResponse',
    clientStatus(context.registry, decode('envoy.service.status.v3.ClientStatusRequest', request)),
  );
}

function message<Name extends MessageName>(name: Name, fields: Message<Name>): Buffer {
  return encode(name, fields);
}

type UnaryCallback = grpc.sendUnaryData<Buffer>;

function unary<Audience>(options: ServerOptions<Audience>, answer: (request: Buffer) => Buffer) {
  return (call: grpc.ServerUnaryCall<Buffer, Buffer>, callback: UnaryCallback): void => {
    const refusal = options.authenticate(call.metadata, call.getPeer());
    if (refusal) return callback({ code: grpc.status.UNAUTHENTICATED, details: words(refusal) });
    try {
      callback(null, answer(call.request));
    } catch (error) {
      callback({ code: grpc.status.INVALID_ARGUMENT, details: words(textOf(error)) });
    }
  };
}
