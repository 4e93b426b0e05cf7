/** A real xDS server over a world of a test. */
import type { RefusedCall } from '../../src/serve/admission.js';
import type { AdsContext } from '../../src/serve/ads.js';
import { defaultServeLimits, type ServeLimits } from '../../src/serve/limits.js';
import { createRegistry, type Registry } from '../../src/serve/registry.js';
import { createScheduler } from '../../src/serve/scheduler.js';
import { type ServeTls, startServer, type XdsServer } from '../../src/serve/server.js';
import type { Authenticate, Bearer } from '../../src/serve/subject.js';
import { classOf, createWorld, type World, type WorldOptions } from './world.js';

/** So many of each are remembered: the memory of this server is measured, and what its test hoards would count. */
const kept = 200;

/** What a test may ask of its server. */
export interface TestServer<Subject = Bearer> extends XdsServer<Subject> {
  readonly world: World;
  readonly registry: Registry;
  /** What clients refused; the last `kept`. */
  readonly refusals: readonly string[];
  /** Calls that were refused, and streams that were ended; the last `kept`. */
  readonly refusedCalls: readonly RefusedCall<Subject>[];
}

/** How it is to be. */
export interface TestServerOptions extends WorldOptions {
  /** `host:port`; a free port of loopback unless given. */
  readonly listen?: string;
  readonly tls?: ServeTls;
  readonly serveLimits?: Partial<ServeLimits>;
}

/** Who may call it. */
export interface Guard<Subject extends Bearer> extends Partial<Pick<AdsContext<string, Subject>, 'classify' | 'may' | 'onDenied' | 'maySee' | 'clock'>> {
  readonly authenticate: Authenticate<Subject>;
}

/** Serves everybody. A node is of the workload that its id names; one without id is nobody. */
export function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  return startGuardedServer(options, { authenticate: async () => ({}) });
}

/** The same for those whom the guard lets in. */
export async function startGuardedServer<Subject extends Bearer>(options: TestServerOptions, guard: Guard<Subject>): Promise<TestServer<Subject>> {
  const world = createWorld(options);
  const registry = createRegistry();
  const refusals: string[] = [];
  const refusedCalls: RefusedCall<Subject>[] = [];
  const keep = <Item>(items: Item[], item: Item) => void (items.push(item) > kept && items.shift());
  const { authenticate, clock = Date.now, maySee } = guard;
  const server = await startServer<string, Subject>({
    listen: options.listen ?? 'localhost:0',
    tls: options.tls,
    limits: { ...defaultServeLimits, ...options.serveLimits },
    authenticate,
    onRefused: (call) => keep(refusedCalls, call),
    context: {
      scopes: world.scopes,
      registry,
      scheduler: createScheduler(),
      classify: guard.classify ?? (({ id }) => (id && id.length <= 256 ? classOf('a', id) : `a node id of 1 to 256 characters is needed, not ${id}`)),
      may: guard.may ?? (() => true),
      onDenied: guard.onDenied,
      maySee,
      clock,
      onRefusal: (node, typeUrl, message) => keep(refusals, `${node.id} ${typeUrl} ${message}`),
    },
  });
  return { ...server, world, registry, refusals, refusedCalls };
}
