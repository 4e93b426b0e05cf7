/** A gRPC server that says back what it is told, and its client. */
import * as grpc from '@grpc/grpc-js';
import { toldToEnd } from './ending.js';

const asIs = (bytes: Buffer): Buffer => bytes;

const unary = (path: string): grpc.MethodDefinition<Buffer, Buffer> => ({
  path,
  requestStream: false,
  responseStream: false,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});

const say = unary('/shop.Reviews/Say');
const check = unary('/grpc.health.v1.Health/Check');
/** grpc.health.v1.HealthCheckResponse{status: SERVING}. */
const serving = Buffer.from([0x08, 0x01]);

/** Serves until it is told to end, then finishes the calls under way. */
export async function serveGrpc(port: number): Promise<void> {
  const server = new grpc.Server();
  const handle: grpc.handleUnaryCall<Buffer, Buffer> = (call, callback) => callback(null, Buffer.from(`heard ${call.request}`));
  server.addService({ Say: say }, { Say: handle });
  const healthy: grpc.handleUnaryCall<Buffer, Buffer> = (_, callback) => callback(null, serving);
  server.addService({ Check: check }, { Check: healthy });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`[::]:${port}`, grpc.ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()));
  });
  await toldToEnd();
  await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
}

/** A client that keeps its connection. */
export function openGrpc(target: string): grpc.Client {
  return new grpc.Client(target, grpc.credentials.createInsecure());
}

/** One call; rejects with gRPC's own error. */
export function askGrpc(client: grpc.Client, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + 20_000;
    client.makeUnaryRequest(say.path, asIs, asIs, Buffer.from(text), { deadline }, (error, reply) => (error ? reject(error) : resolve(String(reply))));
  });
}
