/**
 * Bounds on the connections of a listening port, shared out fairly: whoever opens as many as he can takes places from himself,
 * and not from the kubelet, the API server, or anybody else who needs one.
 */
import type { Server, Socket } from 'node:net';

/** How many connections there may be. */
export interface ConnectionLimits {
  /** In all. One more takes the place of the newest one of whoever has most. */
  readonly connections: number;
  /** From one address; further ones are closed at once. */
  readonly connectionsPerPeer: number;
}

/** Holds a server to the limits, from its next connection on. A server of TLS counts those too that have not shaken hands. */
export function shareConnections(server: Pick<Server, 'on'>, limits: ConnectionLimits): void {
  const byPeer = new Map<string, Set<Socket>>();
  let count = 0;
  const leave = (peer: string, socket: Socket) => {
    const own = byPeer.get(peer);
    if (!own?.delete(socket)) return;
    count--;
    if (own.size === 0) byPeer.delete(peer);
  };
  server.on('connection', (socket: Socket) => {
    const peer = socket.remoteAddress ?? '';
    const own = byPeer.get(peer) ?? new Set<Socket>();
    if (own.size >= limits.connectionsPerPeer) return void socket.destroy();
    byPeer.set(peer, own.add(socket));
    count++;
    socket.once('close', () => leave(peer, socket));
    if (count <= limits.connections) return;
    const [most, sockets] = largest(byPeer);
    const newest = [...sockets].at(-1);
    if (!newest) return;
    leave(most, newest);
    newest.destroy();
  });
}

/** Who has most; of several who have as many, the one who came last, so that nobody loses a place to his equal. */
function largest(byPeer: ReadonlyMap<string, Set<Socket>>): readonly [string, ReadonlySet<Socket>] {
  return [...byPeer].reduce((found, each) => (each[1].size >= found[1].size ? each : found), ['', new Set<Socket>()]);
}
