/** What this replica's own proxies say of each policy, counted without holding up anybody else. */
import { setImmediate } from 'node:timers/promises';
import type { Registry } from '../../serve/registry.js';
import type { Store } from '../../sources/store.js';
import { makePeerReport, type PeerReport } from '../../status/peers.js';
import { createTally, type PolicyCounts } from '../../status/tally.js';
import { proxyState } from '../status-report.js';

/** What is counted. */
export interface PolicyReportOptions {
  readonly registry: Registry;
  readonly store: Pick<Store, 'policies'>;
  /** A number that is another one whenever the world may be. */
  readonly revision: () => number;
}

/** After so many proxies, others have their turn. */
const atOnce = 16;

/** The body of `/report`. As long as nobody has said anything and nothing has changed, the last count is given again. */
export function createPolicyReport({ registry, store, revision }: PolicyReportOptions): () => Promise<PeerReport> {
  let counted = '';
  let rows: readonly PolicyCounts[] = [];
  return async () => {
    const { requests, responses, opened } = registry.totals();
    const now = [requests, responses, opened, registry.size(), revision()].join(' ');
    if (now !== counted) rows = await countAll(registry);
    counted = now;
    return makePeerReport(rows, new Map(store.policies().map(({ key, generation }) => [key, generation])));
  };
}

async function countAll(registry: Registry): Promise<readonly PolicyCounts[]> {
  const tally = createTally();
  let count = 0;
  for (const connection of [...registry.connections()]) {
    if (++count % atOnce === 0) await setImmediate();
    tally.add(proxyState(connection));
  }
  return tally.rows();
}
