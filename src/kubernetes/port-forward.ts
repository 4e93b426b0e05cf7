/** Reaches a port of a Pod from outside the cluster, by way of the API server. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { type ConnectOptions, selectContext } from './connect.js';
import { loadKubeConfig } from './credentials.js';

/** A port of this machine that leads to one of a Pod. */
export interface Forward {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Ends it and all its connections. */
  readonly close: () => Promise<void>;
}

/**
 * Listens on a free port of 127.0.0.1 and leads each connection to the Pod's port, also to one that the Pod has on its own
 * loopback only. Needs the verb `create` on `pods/portforward`. Rejects without a kubeconfig; a Pod that is not there ends
 * the connections, and `onError` is told why.
 */
export async function forward(options: ConnectOptions, namespace: string, pod: string, port: number, onError: (error: Error) => void): Promise<Forward> {
  const selection = selectContext(options);
  if (!selection) throw new Error('a port is forwarded by way of the API server, and no kubeconfig is configured; give --kubeconfig FILE, or set KUBECONFIG');
  const { PortForward } = await import('@kubernetes/client-node');
  const forwarder = new PortForward(await loadKubeConfig(selection));
  const sockets = new Set<Socket>();
  const lead = async (socket: Socket) => {
    const errors = new PassThrough().on('data', (text: Buffer) => onError(new Error(text.toString('utf8').trim())));
    const stream = await forwarder.portForward(namespace, pod, [port], socket, errors, socket);
    if (typeof stream === 'function') return;
    stream.addEventListener('close', () => socket.end());
    socket.once('close', () => stream.close());
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
    lead(socket).catch((error: unknown) => {
      onError(new Error(`${namespace}/${pod}:${port} cannot be reached: ${messageOf(error)}`));
      socket.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The client rejects with an event of its WebSocket rather than an Error. */
function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
}
