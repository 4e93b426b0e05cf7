/** One ADS stream on a TCP connection of its own, straight on HTTP/2: the driver should cost as little as it can. */
import { type ClientHttp2Session, connect, constants } from 'node:http2';

/** An open stream. */
export interface Connection {
  readonly send: (message: Buffer) => void;
  readonly close: () => void;
}

/** What happens on a stream. */
export interface Events {
  /** A whole gRPC message, without its frame. */
  readonly onMessage: (message: Buffer) => void;
  /** The stream has ended without having been closed; the text says why. */
  readonly onEnd: (reason: string) => void;
}

const windowBytes = 1 << 20;
const path = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources';

/** Opens a delta stream to a plaintext port of 127.0.0.1. */
export function openStream(port: number, { onMessage, onEnd }: Events): Connection {
  const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: windowBytes, enablePush: false } });
  session.once('connect', () => session.setLocalWindowSize(windowBytes));
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' }, { endStream: false });
  let isClosed = false;
  const end = (reason: string) => {
    if (isClosed) return;
    isClosed = true;
    session.destroy();
    onEnd(reason);
  };
  session.on('error', (error) => end(String(error)));
  stream.on('error', (error) => end(String(error)));
  stream.on('trailers', (trailers) => end(`grpc-status ${trailers['grpc-status']}: ${trailers['grpc-message']}`));
  stream.on('close', () => end('the stream was closed'));
  stream.on('data', createDeframer(onMessage));
  return {
    send: (message) => void stream.write(framed(message)),
    close: () => {
      isClosed = true;
      endSession(session);
    },
  };
}

function endSession(session: ClientHttp2Session): void {
  session.destroy(undefined, constants.NGHTTP2_CANCEL);
}

/** A gRPC frame: not compressed, then the length. */
function framed(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(5 + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  message.copy(frame, 5);
  return frame;
}

/** Puts messages together from the pieces in which they arrive. */
function createDeframer(onMessage: (message: Buffer) => void): (piece: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (piece) => {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    while (rest.length >= 5) {
      const end = 5 + rest.readUInt32BE(1);
      if (rest.length < end) return;
      const message = rest.subarray(5, end);
      rest = rest.subarray(end);
      onMessage(message);
    }
  };
}
