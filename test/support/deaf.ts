/** A gRPC client on bare HTTP/2 that reads only when it is told to: grpc-js takes messages off the network whether or not anyone reads them. */
import { connect } from 'node:http2';

/** One stream of a connection of its own. */
export interface DeafStream {
  readonly send: (message: Buffer) => void;
  /** Reads the next message; rejects when the stream has ended. */
  readonly hear: () => Promise<Buffer>;
  /** How the HTTP/2 stream was ended: NO_ERROR is 0, CANCEL is 8. */
  readonly closed: Promise<number>;
  readonly close: () => void;
}

/** Opens a stream of a method. */
export function openDeaf(port: number, path: string): DeafStream {
  const session = connect(`http://localhost:${port}`);
  session.on('error', () => {});
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
  stream.on('error', () => {});
  const closed = new Promise<number>((resolve) => stream.on('close', () => resolve(stream.rstCode ?? 0)));
  const messages = messagesIn(stream);
  const hear = async () => {
    const { value } = await messages.next();
    if (!value) throw new Error(`the stream has ended with ${stream.rstCode}`);
    return value;
  };
  return { send: (message) => void stream.write(framed(message)), hear, closed, close: () => session.destroy() };
}

/** A gRPC frame: not compressed, four bytes of length, the message. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

async function* messagesIn(stream: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) continue;
    rest = Buffer.concat([rest, chunk]);
    for (let end = endOf(rest); end <= rest.length; end = endOf(rest)) {
      yield rest.subarray(5, end);
      rest = rest.subarray(end);
    }
  }
}

function endOf(frames: Buffer): number {
  return frames.length < 5 ? Number.POSITIVE_INFINITY : 5 + frames.readUInt32BE(1);
}
