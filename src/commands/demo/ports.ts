/** Free ports on loopback, for the demonstration and for tests. */
import { createServer } from 'node:net';

/** Outside of the range from which systems take the ports of outgoing connections, so that none of those can snatch one away; each process begins elsewhere. */
const perProcess = 100;
const first = 10_000 + (process.pid % 220) * perProcess;
let taken = 0;

/** Ports of 127.0.0.1 that nobody listens on at the moment, all different, and none that this process was given before. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    if (taken === perProcess) throw new Error(`a process may use ${perProcess} ports`);
    const port = first + taken++;
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
