/** A TCP server that speaks first, as MySQL and SMTP do, and then says back what it is told. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { toldToEnd } from './ending.js';

/** Serves until it is told to end. */
export async function serveTcp(port: number): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.write('welcome\n');
    socket.pipe(socket);
  });
  server.listen(port, '::');
  await once(server, 'listening');
  await toldToEnd();
  process.exit(0);
}
