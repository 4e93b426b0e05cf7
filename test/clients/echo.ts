/** A gRPC server of one method, which answers with the name of its process. */
import * as grpc from '@grpc/grpc-js';

/** The path of the method. */
export const sayPath = '/echo.Echo/Say';

/** A running server. */
export interface EchoServer {
  readonly port: number;
  /** Ends it after the calls under way. */
  readonly close: () => Promise<void>;
}

const asIs = (bytes: Buffer) => bytes;
const say = {
  path: sayPath,
  requestStream: false,
  responseStream: false,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
};

/** Starts one on a free port of 127.0.0.1. */
export async function startEcho(name: string): Promise<EchoServer> {
  const server = new grpc.Server();
  const answer: grpc.handleUnaryCall<Buffer, Buffer> = (_, callback) => callback(null, Buffer.from(name));
  server.addService({ Say: say }, { Say: answer });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return { port, close: () => new Promise((resolve) => server.tryShutdown(() => resolve())) };
}
