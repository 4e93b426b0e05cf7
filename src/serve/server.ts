/** The gRPC port: the only file that knows grpc-js. Every method, streaming or not, goes through the same door. */
import http2 from 'node:http2';
import { Server as NetServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { SecureContextOptions } from 'node:tls';
import * as grpc from '@grpc/grpc-js';
import { shareConnections } from '../connections/fair-share.js';
import { type Admit, createAdmission, type RefusedCall, subjectOf } from './admission.js';
import type { AdsContext } from './ads.js';
import type { ServerCertificate } from './certificate.js';
import { defaultServeLimits, type ServeLimits } from './limits.js';
import { type Method, methodsOf, pathOf, type StreamMethod, type UnaryMethod } from './methods.js';
import { createOpenStreams, type OpenStream, type OpenStreams } from './streams.js';
import { type Authenticate, type Bearer, isRefusal, type Refusal, Refused } from './subject.js';

/** TLS 1.3; with `clientCa` (PEM), clients must show a certificate of that authority. */
export interface ServeTls {
  readonly certificate: ServerCertificate;
  readonly clientCa?: string | undefined;
}

/** What a server is made of. */
export interface ServerOptions<Audience, Subject extends Bearer> {
  /** `host:port`; port 0 takes a free one. */
  readonly listen: string;
  /** Left out, the port is plaintext. */
  readonly tls?: ServeTls | undefined;
  readonly context: AdsContext<Audience, Subject>;
  /** Who a caller is; asked at every call of every method. */
  readonly authenticate: Authenticate<Subject>;
  /** Told of every call that is refused and every stream that is ended. */
  readonly onRefused?: ((call: RefusedCall<Subject>) => void) | undefined;
  readonly limits?: ServeLimits | undefined;
}

/** A method of the server, as a client has to call it. */
export interface ServedMethod {
  /** `/service/method`. */
  readonly path: string;
  readonly isStream: boolean;
}

/** A listening server. */
export interface XdsServer<Subject> {
  readonly port: number;
  /** All that it serves. */
  readonly methods: readonly ServedMethod[];
  /** Ends the streams of the subjects that are meant, with a reason for them to read; returns how many. */
  readonly endStreamsOf: (isMeant: (subject: Subject) => boolean, reason: string, refused?: Refusal['refused']) => number;
  /** Takes no more connections, asks every client to go elsewhere, and ends their streams little by little over so many milliseconds. */
  readonly drain: (graceMs: number) => Promise<void>;
  /** Ends every stream and stops listening. */
  readonly close: () => Promise<void>;
}

type Duplex = grpc.ServerDuplexStream<Buffer, Buffer>;
type UnaryCall = grpc.ServerUnaryCall<Buffer, Buffer>;

/** What the calls of a server share. */
interface Assembly<Subject extends Bearer> {
  readonly limits: ServeLimits;
  readonly admit: Admit<Subject>;
  readonly streams: OpenStreams<Subject>;
  readonly onRefused: (call: RefusedCall<Subject>) => void;
  readonly onDefect: (error: unknown) => void;
}

/** Starts to listen. Rejects when the address cannot be had. */
export async function startServer<Audience, Subject extends Bearer>(options: ServerOptions<Audience, Subject>): Promise<XdsServer<Subject>> {
  const limits = options.limits ?? defaultServeLimits;
  const { context, authenticate, onRefused = () => undefined } = options;
  const streams = createOpenStreams<Subject>(limits, context.clock);
  const assembly = { limits, admit: createAdmission(authenticate, limits), streams, onRefused, onDefect: (error: unknown) => context.onDefect?.(error) };
  const server = new grpc.Server(channelOptions(limits));
  const methods = methodsOf(context);
  for (const method of methods) server.addService({ [method.name]: definition(method) }, { [method.name]: handler(assembly, method) });
  const { port, release } = await bind(server, options);
  for (const listening of listeningServers(server)) shareConnections(listening, limits);
  const watch = setInterval(() => streams.sweep(context.clock()), 1000);
  watch.unref();
  return {
    port,
    methods: methods.map((method) => ({ path: pathOf(method), isStream: isStream(method) })),
    endStreamsOf: (isMeant, reason, refused = 'UNAUTHENTICATED') => streams.endOf(isMeant, { refused, reason }),
    drain: (graceMs) => drain(server, streams, graceMs),
    close: async () => {
      clearInterval(watch);
      release();
      server.forceShutdown();
      streams.close();
    },
  };
}

/** How many parts the streams of a server that leaves are ended in, so that the others are not run over by all its clients at once. */
const parts = 20;

/** Whoever is told to go elsewhere opens its next stream on a new connection, which this server does not take. */
async function drain<Subject extends Bearer>(server: grpc.Server, streams: OpenStreams<Subject>, graceMs: number): Promise<void> {
  server.tryShutdown(() => undefined);
  const atOnce = Math.ceil(streams.size() / parts);
  for (let part = 0; part < parts && streams.size() > 0; part++) {
    let left = atOnce;
    streams.endOf(() => left-- > 0, { refused: 'UNAVAILABLE', reason: 'this server is leaving; go to another one' });
    await delay(graceMs / parts);
  }
}

function channelOptions(limits: ServeLimits): grpc.ServerOptions {
  return {
    'grpc.max_receive_message_length': limits.requestBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': limits.streamsPerConnection,
    'grpc.max_connection_age_ms': limits.connectionAgeMs,
    'grpc.max_connection_age_grace_ms': limits.connectionGraceMs,
    'grpc.max_connection_idle_ms': limits.connectionIdleMs,
    'grpc.keepalive_time_ms': limits.keepaliveMs,
    'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMs,
    'grpc-node.max_session_memory': limits.sessionMegabytes,
  };
}

/** Messages are bytes on both sides: requests are decoded by us, strictly and late; responses were encoded long before. */
function definition(method: Method<never>): grpc.MethodDefinition<Buffer, Buffer> {
  const asIs = (bytes: Buffer) => bytes;
  const serialization = { requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs };
  return { path: pathOf(method), requestStream: isStream(method), responseStream: isStream(method), ...serialization };
}

function isStream<Subject>(method: Method<Subject>): method is StreamMethod<Subject> {
  return 'open' in method;
}

function handler<Subject extends Bearer>(assembly: Assembly<Subject>, method: Method<Subject>): grpc.UntypedHandleCall {
  if (isStream(method)) return (call: Duplex) => void serveStream(assembly, method, call);
  return (call: UnaryCall, callback: grpc.sendUnaryData<Buffer>) => void serveUnary(assembly, method, call, callback);
}

/** The certificate that new connections are shown; those that are open stay with the one that they began with. */
class RenewedCredentials extends grpc.ServerCredentials {
  readonly release: () => void;

  constructor({ certificate, clientCa }: ServeTls) {
    const context = (): SecureContextOptions => {
      const { certificate: cert, key } = certificate.current();
      return { cert, key, ca: clientCa, minVersion: 'TLSv1.3' };
    };
    super({ requestCert: clientCa !== undefined, rejectUnauthorized: clientCa !== undefined, minVersion: 'TLSv1.3' }, context());
    this.release = certificate.onChange(() => this.updateSecureContextOptions(context()));
  }

  override _equals(other: grpc.ServerCredentials): boolean {
    return other === this;
  }
}

/** The sockets are those of Node's servers inside, which grpc-js has no method for. */
function listeningServers(server: grpc.Server): readonly NetServer[] {
  const servers = property(server, 'http2Servers');
  const found = servers instanceof Map ? [...servers.keys()].filter((each) => each instanceof NetServer) : [];
  if (found.length === 0)
    throw new Error('this version of grpc-js hides its servers, so that their connections cannot be bounded; install the one of package-lock.json');
  return found;
}

interface Bound {
  readonly port: number;
  /** Ends what the binding holds besides the port. */
  readonly release: () => void;
}

function bind<Audience, Subject extends Bearer>(server: grpc.Server, { listen, tls }: ServerOptions<Audience, Subject>): Promise<Bound> {
  const secure = tls && new RenewedCredentials(tls);
  const release = () => secure?.release();
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, secure ?? grpc.ServerCredentials.createInsecure(), (error, port) => {
      if (!error) return resolve({ port, release });
      release();
      reject(error);
    });
  });
}

/** Nothing is read before the caller is known: what it has sent meanwhile waits in the connection. */
async function serveStream<Subject extends Bearer>(assembly: Assembly<Subject>, method: StreamMethod<Subject>, call: Duplex): Promise<void> {
  const over = new AbortController();
  for (const event of ['close', 'cancelled', 'error', 'end']) call.on(event, () => over.abort());
  const peer = call.getPeer();
  const subject = await assembly.admit(call.metadata, peer);
  if (over.signal.aborted) return;
  const end = (refusal: Refusal) => {
    assembly.onRefused({ ...refusal, method: pathOf(method), peer, subject: subjectOf(subject) });
    fail(call, grpc.status[refusal.refused], refusal.reason);
  };
  if (isRefusal(subject)) return end(subject);
  const onDefect = (error: unknown) => {
    assembly.onDefect(error);
    fail(call, grpc.status.INTERNAL, 'a response could not be composed');
  };
  const conversation = method.open({ subject, peer, write: (message, done) => call.write(message, done), onDefect });
  const recheck = () => assembly.admit(call.metadata, peer, 'Anew');
  converse(assembly, { subject, conversation, recheck, end, cut: () => reset(call) }, call, over.signal);
}

function converse<Subject extends Bearer>({ streams, limits }: Assembly<Subject>, stream: OpenStream<Subject>, call: Duplex, over: AbortSignal): void {
  const { conversation, end } = stream;
  const full = streams.add(stream);
  if (full) return end(full);
  const timer = setTimeout(() => {
    if (!conversation.hasBegun()) end({ refused: 'DEADLINE_EXCEEDED', reason: 'no request has come' });
  }, limits.firstRequestMs);
  over.addEventListener('abort', () => {
    clearTimeout(timer);
    streams.remove(stream);
    conversation.close();
  });
  receive(call, stream);
}

/** Requests one after another: while one is being worked on, no further one is read. Ends the stream at the first bad one. */
function receive<Subject>(call: Duplex, { conversation, end }: OpenStream<Subject>): void {
  call.on('data', (request: Buffer) => {
    call.pause();
    conversation.receive(request).then(
      () => call.resume(),
      (error: unknown) => end(refusalFor(error)),
    );
  });
  call.on('end', () => call.end());
}

function refusalFor(error: unknown): Refusal {
  return error instanceof Refused ? error.refusal : { refused: 'INVALID_ARGUMENT', reason: error instanceof Error ? error.message : String(error) };
}

function fail(call: Duplex, code: grpc.status, details: string): void {
  call.emit('error', { code, details: words(details) });
}

/** Text for a header: short, and without halves of surrogate pairs, which cannot be encoded there and may come from a client. */
function words(text: string): string {
  return Buffer.from(text.slice(0, 500)).toString();
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

async function serveUnary<Subject extends Bearer>(
  assembly: Assembly<Subject>,
  method: UnaryMethod<Subject>,
  call: UnaryCall,
  callback: grpc.sendUnaryData<Buffer>,
): Promise<void> {
  const peer = call.getPeer();
  const subject = await assembly.admit(call.metadata, peer);
  const refuse = (refusal: Refusal) => {
    assembly.onRefused({ ...refusal, method: pathOf(method), peer, subject: subjectOf(subject) });
    callback({ code: grpc.status[refusal.refused], details: words(refusal.reason) });
  };
  if (isRefusal(subject)) return refuse(subject);
  try {
    callback(null, method.answer(call.request, subject));
  } catch (error) {
    refuse(refusalFor(error));
  }
}
