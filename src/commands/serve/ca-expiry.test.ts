import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { newRoot, testAuthority } from '../../../test/support/authority.js';
import { type CaExpiryOptions, watchCaExpiry } from './ca-expiry.js';

const day = 24 * 60 * 60_000;
const ending = (days: number) => newRoot({ notBefore: Date.now() - 60_000, notAfter: Date.now() + days * day });

/** A watch over one authority that ends in 40 days, at a time that the test decides. */
async function setUp(t: TestContext, tellEvent?: CaExpiryOptions['tellEvent']) {
  const ca = testAuthority(await ending(40));
  const log: string[] = [];
  const world = { ahead: 0 };
  const write = (level: string) => (_: object, message?: string) => void log.push(`${level}: ${message}`);
  const watch = watchCaExpiry({
    authorities: [{ place: 'Secret weft-system/weft-ca', secret: 'weft-ca', ca }],
    logger: { warn: write('warn'), error: write('error') },
    clock: () => Date.now() + world.ahead,
    tellEvent,
    intervalMs: 5,
  });
  // The timer of the watch keeps no process alive.
  const alive = setInterval(() => undefined, 1000);
  t.after(() => {
    clearInterval(alive);
    watch.close();
  });
  return { ca, log, world, watch };
}

test('the log, an Event, the condition and the metric tell 30, 7 and 1 days ahead and at the end, once each, until it is renewed', async (t) => {
  const events = new EventEmitter();
  const names = new Set<string>();
  let refusals = 1;
  const { ca, log, world, watch } = await setUp(t, async ({ name, reason }) => {
    if (refusals-- > 0) return false;
    names.add(name);
    events.emit('told', reason);
    return true;
  });
  const reasons: string[] = [];
  const conditions = [watch.condition(4).reason];
  for (const daysAhead of [11, 34, 39.5, 41]) {
    const told = once(events, 'told');
    const before = watch.revision();
    world.ahead = daysAhead * day;
    reasons.push(...(await told));
    conditions.push(watch.condition(4).reason);
    assert.ok(watch.revision() > before);
  }
  assert.deepEqual(reasons, ['AuthorityExpiresSoon', 'AuthorityExpiresSoon', 'AuthorityExpiresSoon', 'AuthorityExpired']);
  assert.deepEqual(conditions, ['Valid', 'ExpiresSoon', 'ExpiresSoon', 'ExpiresSoon', 'Expired']);
  assert.equal(names.size, 4);
  assert.deepEqual(
    log.map((line) => /^(warn|error): .*within (\d+)|^error: .*has ended/.exec(line)?.slice(1, 3).join(' ')),
    ['warn 30', 'warn 7', 'error 1', ' '],
  );
  assert.deepEqual([watch.condition(4).status, watch.condition(4).observedGeneration], ['False', 4]);
  const [metric] = watch.families;
  const [before] = metric?.read() ?? [];
  ca.replace(await ending(100));
  assert.equal(watch.condition(4).reason, 'Valid');
  const [after] = metric?.read() ?? [];
  assert.deepEqual(after?.labels, { secret: 'weft-ca' });
  assert.ok(Math.abs((after?.value ?? 0) - (before?.value ?? 0) - 60 * 86_400) < 60);
});
