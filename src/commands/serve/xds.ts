/** The gRPC port over a core: what both modes say of it. */
import type { Audience } from '../../compile/contract.js';
import type { AdsContext } from '../../serve/ads.js';
import { createScheduler } from '../../serve/scheduler.js';
import type { Core } from './core.js';

/** What the streams of the port share, but for how a node is judged. */
export function adsContext({ controller, registry, logger }: Core): Omit<AdsContext<Audience, unknown>, 'classify' | 'maySee'> {
  return {
    scopes: controller.scopes,
    registry,
    scheduler: createScheduler(),
    clock: Date.now,
    onDefect: (error) => logger.error({ error: String(error) }, 'a stream was ended by a defect of Weft'),
    onRefusal: (node, typeUrl, message) => logger.warn({ proxy: node.id, typeUrl, message }, 'a proxy has rejected a resource'),
  };
}
