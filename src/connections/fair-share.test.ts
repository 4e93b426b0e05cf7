import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { shareConnections } from './fair-share.js';

/** A server that greets, and who connects to it from any of the addresses of the loopback device. */
async function world(t: TestContext, connections: number, connectionsPerPeer: number) {
  const server = createServer();
  shareConnections(server, { connections, connectionsPerPeer });
  server.on('connection', (socket) => socket.write('hello'));
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  const { port } = address;
  const open: Socket[] = [];
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  /** Resolves to whether it was greeted. */
  const from = async (localAddress: string) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    open.push(socket);
    socket.on('error', () => undefined);
    const isGreeted = await Promise.race([once(socket, 'data').then(() => true), once(socket, 'close').then(() => false)]);
    return { socket, isGreeted };
  };
  return { from, server };
}

const attacker = '127.0.0.2';
const neighbour = '127.0.0.3';

test('one address has its share and no more, and gets a place back for each that it leaves', async (t) => {
  const { from } = await world(t, 100, 3);
  const held = [await from(attacker), await from(attacker), await from(attacker)];
  assert.deepEqual(
    held.map(({ isGreeted }) => isGreeted),
    [true, true, true],
  );
  assert.equal((await from(attacker)).isGreeted, false);
  assert.equal((await from(neighbour)).isGreeted, true);
  held[0]?.socket.end();
  await once(held[0]?.socket ?? assert.fail(), 'close');
  assert.equal((await from(attacker)).isGreeted, true);
});

test('where all places are taken, whoever has most makes room', async (t) => {
  const { from } = await world(t, 4, 100);
  const held = [await from(attacker), await from(attacker), await from(attacker), await from(attacker)];
  const newcomer = await from(neighbour);
  assert.equal(newcomer.isGreeted, true);
  await once(held[3]?.socket ?? assert.fail(), 'close');
  assert.equal((await from(attacker)).isGreeted, false, 'the attacker has most, and so loses what it opens');
  assert.equal((await from(neighbour)).isGreeted, true);
  assert.equal(newcomer.socket.closed, false);
});
