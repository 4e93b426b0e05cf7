/** A real xDS server over a world of a test. */
import type { Metadata } from '@grpc/grpc-js';
import { defaultServeLimits, type ServeLimits } from '../../src/serve/limits.js';
import { createRegistry, type Registry } from '../../src/serve/registry.js';
import { createScheduler } from '../../src/serve/scheduler.js';
import { type ServeTls, startServer } from '../../src/serve/server.js';
import { classOf, createWorld, type World, type WorldOptions } from './world.js';

/** What a test may ask of its server. */
export interface TestServer {
  readonly port: number;
  readonly world: World;
  readonly registry: Registry;
  readonly refusals: readonly string[];
  readonly close: () => Promise<void>;
}

/** How it is to be. */
export interface TestServerOptions extends WorldOptions {
  readonly tls?: ServeTls;
  readonly serveLimits?: Partial<ServeLimits>;
  readonly authenticate?: (metadata: Metadata, peer: string) => string | undefined;
}

/** Serves on a free port of loopback. A node is of the workload that its id names; one without id is nobody. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const world = createWorld(options);
  const registry = createRegistry();
  const refusals: string[] = [];
  const server = await startServer<string>({
    listen: 'localhost:0',
    tls: options.tls,
    limits: { ...defaultServeLimits, ...options.serveLimits },
    authenticate: options.authenticate ?? (() => undefined),
    context: {
      scopes: world.scopes,
      registry,
      scheduler: createScheduler(),
      classify: ({ id }) => (id && id.length <= 256 ? classOf('a', id) : `a node id of 1 to 256 characters is needed, not ${id}`),
      clock: Date.now,
      onRefusal: (node, typeUrl, message) => refusals.push(`${node.id} ${typeUrl} ${message}`),
    },
  });
  return { port: server.port, world, registry, refusals, close: server.close };
}
