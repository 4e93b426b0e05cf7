import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createHands, type Hands } from '../../test/support/hands.js';
import { type KubeClient, KubeError, type KubeRequest } from '../kubernetes/api.js';
import { fieldOf, textOf } from '../kubernetes/plain.js';
import { createLease } from './lease.js';
import { decide, defaultRules, isHolding } from './lease-decision.js';

const seen = (holder: string, seenAt: number) => ({ holder, durationMs: 15_000, version: '1', seenAt });

test('who may take, renew or has to wait', () => {
  assert.equal(decide('a', seen('', 0), 0), 'take');
  assert.equal(decide('a', seen('a', 0), 0), 'renew');
  assert.equal(decide('a', seen('b', 1000), 15_999), 'wait');
  assert.equal(decide('a', seen('b', 1000), 16_000), 'take');
});

test('a holder steps down before others may take over', () => {
  assert.deepEqual(
    [undefined, 0, 1].map((renewedAt) => isHolding(renewedAt, defaultRules, 10_000)),
    [false, false, true],
  );
  assert.ok(defaultRules.renewDeadlineMs + defaultRules.retryMs < defaultRules.durationMs);
});

/** What becomes of a request: it arrives after a while, its answer comes after a while, or one of them is lost. */
interface Fate {
  readonly there: number;
  readonly back: number;
  readonly lost: 'no' | 'request' | 'answer';
}

const promptly: Fate = { there: 0, back: 0, lost: 'no' };

/** An API server with one Lease behind a bad network. Beside it, test/apiserver uses the real one. */
function fakeServer(hands: Hands, fate: () => Fate, exists = true) {
  let lease: object | undefined = exists ? { metadata: { resourceVersion: '1' } } : undefined;
  let version = 1;
  const answer = ({ method, body }: KubeRequest): unknown => {
    if (method === 'GET' && !lease) throw new KubeError(404, 'NotFound', 'no such Lease');
    if (method === 'GET') return lease;
    const sent = textOf(fieldOf(body, 'metadata'), 'resourceVersion');
    if (method === 'POST' ? lease : sent !== String(version)) throw new KubeError(409, 'Conflict', 'it has changed');
    version++;
    lease = { metadata: { resourceVersion: String(version) }, spec: fieldOf(body, 'spec') };
    return lease;
  };
  const pause = (ms: number) => (ms === 0 ? Promise.resolve() : new Promise<void>((resolve) => hands.after(ms, resolve)));
  const carry = async (request: KubeRequest): Promise<unknown> => {
    const { there, back, lost } = fate();
    await pause(there);
    if (lost === 'request') throw new Error('connection refused');
    const value = answer(request);
    await pause(back);
    if (lost === 'answer') throw new Error('connection reset');
    return value;
  };
  const request = (sent: KubeRequest): Promise<unknown> =>
    new Promise((resolve, reject) => {
      hands.after(sent.timeoutMs ?? 30_000, () => reject(new Error('timed out')));
      carry(sent).then(resolve, reject);
    });
  const client: KubeClient = { request, watch: async () => {}, server: 'fake' };
  return { client, holder: () => textOf(fieldOf(lease, 'spec'), 'holderIdentity') };
}

function contend(client: KubeClient, hands: Hands, identity: string) {
  const changes: boolean[] = [];
  const errors: string[] = [];
  const lease = createLease({
    ...{ client, namespace: 'weft-system', name: 'weft-controller', identity, clock: hands.now, timers: hands },
    onChange: (isHolder) => changes.push(isHolder),
    onError: (error) => errors.push(String(error)),
  });
  return { lease, changes, errors };
}

test('the first takes an empty Lease, and hands it over when it ends', async () => {
  const hands = createHands();
  const server = fakeServer(hands, () => promptly);
  const [a, b] = ['a', 'b'].map((identity) => contend(server.client, hands, identity));
  await hands.turn(5000);
  assert.deepEqual([a?.lease.isHolder(), b?.lease.isHolder(), b?.lease.holder(), server.holder()], [true, false, 'a', 'a']);
  await a?.lease.close();
  assert.deepEqual([a?.lease.isHolder(), server.holder()], [false, '']);
  await hands.turn(2000);
  assert.deepEqual([b?.lease.isHolder(), a?.changes, b?.changes], [true, [true, false], [true]]);
});

test('a missing Lease is made; where that is forbidden, it is told once', async () => {
  const hands = createHands();
  const missing = fakeServer(hands, () => promptly, false);
  const { lease } = contend(missing.client, hands, 'a');
  await hands.turn(100);
  assert.deepEqual([lease.isHolder(), missing.holder()], [true, 'a']);
  const request = async ({ method }: KubeRequest) => {
    throw method === 'POST' ? new KubeError(403, 'Forbidden', 'you may not') : new KubeError(404, 'NotFound', 'no');
  };
  const { errors } = contend({ ...missing.client, request }, hands, 'b');
  await hands.turn(10_000);
  assert.deepEqual(errors, ['KubeError: you may not']);
});

test('a holder whom the API server does not answer steps down in time, and another takes over', async () => {
  const hands = createHands();
  let isAway = false;
  const server = fakeServer(hands, () => promptly);
  const away: KubeClient = { ...server.client, request: (sent) => (isAway ? Promise.reject(new Error('connection refused')) : server.client.request(sent)) };
  const a = contend(away, hands, 'a');
  const b = contend(server.client, hands, 'b');
  await hands.turn(3000);
  isAway = true;
  await hands.turn(8000);
  assert.deepEqual([a.lease.isHolder(), b.lease.isHolder()], [true, false]);
  await hands.turn(2000);
  assert.deepEqual([a.lease.isHolder(), b.lease.isHolder(), a.changes], [false, false, [true, false]]);
  await hands.turn(8000);
  assert.deepEqual([a.lease.isHolder(), b.lease.isHolder()], [false, true]);
  isAway = false;
  await hands.turn(5000);
  assert.deepEqual([a.lease.isHolder(), b.lease.isHolder()], [false, true]);
});

/** A time during which one contender cannot reach the API server. */
const outage = fc.record({ who: fc.integer({ min: 0, max: 2 }), from: fc.integer({ min: 0, max: 50_000 }), lasts: fc.integer({ min: 1000, max: 30_000 }) });

test('whatever the network does, there are never two holders; once it is good again, there is one', async () => {
  const duration = fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 12_000 }));
  const lost = fc.oneof({ weight: 5, arbitrary: fc.constant<Fate['lost']>('no') }, fc.constantFrom<Fate['lost']>('request', 'answer'));
  const fates = fc.array(fc.record({ there: duration, back: duration, lost }), { maxLength: 40 });
  let takeovers = 0;
  await fc.assert(
    fc.asyncProperty(fates, fc.array(outage, { maxLength: 6 }), async (all, outages) => {
      const hands = createHands();
      const left = [...all];
      const { client } = fakeServer(hands, () => left.shift() ?? promptly);
      const isAway = (who: number) => outages.some((each) => each.who === who && hands.now() >= each.from && hands.now() < each.from + each.lasts);
      const reach = (who: number): KubeClient => ({ ...client, request: (sent) => (isAway(who) ? Promise.reject(new Error('away')) : client.request(sent)) });
      const contenders = ['a', 'b', 'c'].map((identity, who) => contend(reach(who), hands, identity));
      const holders = () => contenders.filter(({ lease }) => lease.isHolder()).length;
      for (let step = 0; step < 200; step++) {
        await hands.turn(500);
        assert.ok(holders() <= 1, `${holders()} holders`);
      }
      left.length = 0;
      await hands.turn(60_000);
      assert.equal(holders(), 1);
      takeovers += contenders.reduce((sum, { changes }) => sum + changes.filter(Boolean).length, 0) - 1;
      for (const { lease } of contenders) void lease.close();
    }),
    { numRuns: 60 },
  );
  assert.ok(takeovers > 10, `only ${takeovers} takeovers were tried`);
});
