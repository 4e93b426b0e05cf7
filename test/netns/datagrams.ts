/** UDP in a network namespace. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { plainAddress } from './plain-address.js';

/** An application that answers each datagram with who it came from and what it said. */
export async function serveUdp({ port }: { readonly port: number }): Promise<void> {
  const socket = createSocket('udp6', (message, { address, port: from }) => socket.send(`${plainAddress(address)} said ${message}`, from, address));
  socket.bind(port);
  await once(socket, 'listening');
}

/** Sends a datagram; what comes back. */
export async function udp({ address, port, say }: { readonly address: string; readonly port: number; readonly say: string }): Promise<string> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  try {
    socket.send(say, port, address);
    const [answer] = await once(socket, 'message', { signal: AbortSignal.timeout(15_000) });
    return String(answer);
  } finally {
    socket.close();
  }
}
