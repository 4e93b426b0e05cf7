/** A TCP port in front of one of several servers, as the address of a Service of Kubernetes is. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Cleanup } from './envoy.js';
import { portOf } from './port.js';

/** The port, and the switch. */
export interface Relay {
  readonly port: number;
  /** New connections go to this port of 127.0.0.1 from now on; those that exist are cut. */
  readonly leadTo: (port: number) => void;
}

/** Listens until the test ends; connections that come before the first `leadTo` are refused. */
export async function startRelay(t: Cleanup): Promise<Relay> {
  let target: number | undefined;
  const sockets = new Set<Socket>();
  const hold = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).once('close', () => sockets.delete(socket));
    return socket;
  };
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((near) => {
    if (target === undefined) return void near.destroy();
    const far = hold(connect(target, '127.0.0.1'));
    hold(near).once('close', () => far.destroy());
    far.once('close', () => near.destroy());
    near.pipe(far).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    cut();
    server.close();
  });
  return {
    port: portOf(server),
    leadTo: (port) => {
      target = port;
      cut();
    },
  };
}
