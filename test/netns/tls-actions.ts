/** Applications that speak TLS of their own, and callers that show certificates of their own. */
import { once } from 'node:events';
import { connect, createServer, type SecureVersion, type Server } from 'node:tls';

/** A certificate and its key, as PEM texts. */
interface Shown {
  readonly certificate?: string;
  readonly key?: string;
}

const servers = new Map<number, Server>();

/** A server that takes anybody, and answers what it is told with its name; in the place of the one before at this port. */
export async function serveTls({ name, port, certificate, key }: Shown & { readonly name: string; readonly port: number }): Promise<void> {
  const server = createServer({ cert: certificate, key, ALPNProtocols: ['http/1.1'] }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () => {
      const answer = `${name} over ${socket.getProtocol()}`;
      socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`);
    });
  });
  server.on('tlsClientError', () => undefined);
  servers.get(port)?.close();
  servers.set(port, server);
  server.listen(port, '::');
  await once(server, 'listening');
}

/** How a server is called. */
export interface TlsCall extends Shown {
  readonly address: string;
  readonly port: number;
  readonly serverName: string;
  readonly maxVersion?: SecureVersion;
  readonly say: string;
}

/** Says something to whoever answers; the first that comes back. Rejects where the connection is ended instead. */
export async function callTls({ address, port, serverName, certificate, key, maxVersion, say }: TlsCall): Promise<string> {
  const socket = connect({ host: address, port, servername: serverName, cert: certificate, key, maxVersion, rejectUnauthorized: false });
  try {
    socket.write(say);
    const end = once(socket, 'end').then(() => Promise.reject(new Error('ended without an answer')));
    const [answer] = await Promise.race([once(socket, 'data', { signal: AbortSignal.timeout(15_000) }), end]);
    return String(answer);
  } finally {
    socket.destroy();
  }
}
