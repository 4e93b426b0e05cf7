/** The server of the hostile tests, in a process of its own so that its memory and its survival can be measured. */
import { startTestServer } from '../support/xds-server.js';

const server = await startTestServer({
  constants: [
    { type: 'Cluster', name: 'beat' },
    { type: 'Cluster', name: 'big' },
  ],
  serveLimits: { streams: 1_200, streamsPerConnection: 2_000, firstRequestMs: 2_000 },
});
for (let index = 0; index < 200; index++) server.world.set('VirtualHost', `v${index}`, '1');

/** What the test may ask. */
export type Order =
  | { readonly do: 'set'; readonly name: string; readonly value: string }
  /** A cluster of this many kilobytes whose content ends with `value`. */
  | { readonly do: 'big'; readonly kilobytes: number; readonly value: string }
  | { readonly do: 'figures' };

/** What it is told after each order. */
export interface Figures {
  /** Bytes in use after a collection: the heap and what lies outside it. */
  readonly bytes: number;
  readonly streams: number;
  readonly scopes: number;
  readonly names: number;
}

process.on('message', async (order: Order) => {
  if (order.do === 'set') server.world.set('Cluster', order.name, order.value);
  if (order.do === 'big') server.world.set('Cluster', 'big', 'x'.repeat(order.kilobytes * 1_024) + order.value);
  if (order.do === 'figures') await collect();
  const { heapUsed, external } = process.memoryUsage();
  const figures: Figures = {
    bytes: heapUsed + external,
    streams: server.registry.size(),
    scopes: server.world.scopes.size(),
    names: server.world.snapshot.size(),
  };
  process.send?.(figures);
});

/** Memory outside the heap is given back some time after the collection that found it unused. */
async function collect(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

process.on('disconnect', () => process.exit());
process.send?.(server.port);
