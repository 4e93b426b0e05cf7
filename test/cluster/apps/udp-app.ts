/** A UDP server that sends each datagram back, and its client. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { toldToEnd } from './ending.js';

/** Serves until it is told to end. */
export async function serveUdp(port: number): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (message, from) => socket.send(`heard ${message}`, from.port, from.address));
  socket.bind(port);
  await toldToEnd();
  socket.close();
}

/** Sends a datagram and resolves to what comes back; rejects after ten seconds. */
export async function askUdp(host: string, port: number, say: string): Promise<string> {
  const socket = createSocket('udp4');
  try {
    socket.send(say, port, host);
    const [answer] = await once(socket, 'message', { signal: AbortSignal.timeout(10_000) });
    return String(answer);
  } finally {
    socket.close();
  }
}
