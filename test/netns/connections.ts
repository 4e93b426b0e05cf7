/** TCP connections that stay open between the steps of a test, by a name that the test gives. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

interface Held {
  readonly socket: Socket;
  /** What has come and was not yet read. */
  unread: string;
  readonly gone: Promise<string>;
}

const held = new Map<string, Held>();
const patience = 15_000;

/** Opens a connection and keeps it. */
export async function open({ name, address, port }: { readonly name: string; readonly address: string; readonly port: number }): Promise<void> {
  const socket = connect(port, address);
  const gone = new Promise<string>((resolve) => {
    socket.once('error', ({ message }) => resolve(message)).once('close', () => resolve('closed'));
  });
  const entry: Held = { socket, unread: '', gone };
  socket.on('data', (bytes) => {
    entry.unread += String(bytes);
  });
  held.set(name, entry);
  await once(socket, 'connect', { signal: AbortSignal.timeout(patience) });
}

/** Says something (nothing, if it is empty) on a connection and answers with what came, once that ends with `until`. Rejects when the connection is gone. */
export async function exchange({ name, say, until }: { readonly name: string; readonly say: string; readonly until: string }): Promise<string> {
  const entry = find(name);
  if (say) entry.socket.write(say);
  const signal = AbortSignal.timeout(patience);
  const lost = entry.gone.then((why) => Promise.reject(new Error(`connection ${name}: ${why}`)));
  lost.catch(() => undefined);
  while (!entry.unread.endsWith(until)) await Promise.race([once(entry.socket, 'data', { signal }), lost]);
  const { unread } = entry;
  entry.unread = '';
  return unread;
}

/** Resolves when the other side has ended the connection, to what had come until then. */
export async function untilClosed({ name }: { readonly name: string }): Promise<string> {
  const entry = find(name);
  await entry.gone;
  return entry.unread;
}

/** Ends a connection. */
export function close({ name }: { readonly name: string }): void {
  find(name).socket.destroy();
  held.delete(name);
}

function find(name: string): Held {
  const entry = held.get(name);
  if (!entry) throw new Error(`there is no connection ${name}`);
  return entry;
}
