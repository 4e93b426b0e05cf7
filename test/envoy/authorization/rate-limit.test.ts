/** Rate limits, kept by the real Envoy. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RateLimit } from '../../../src/features/rateLimit/schema.js';
import { answer, startHttp } from '../../support/http.js';
import { eventually } from '../../support/mesh.js';
import { type Caller, exchange, exchangeHttp2, makeCredentials, open, type Request } from './callers.js';
import { type Site, startSites, trustDomain } from './site.js';

const [web, cart] = ['web', 'cart'].map((serviceAccount) => ({ identity: { namespace: 'shop', serviceAccount }, address: '127.0.0.1' }));
const stranger: Caller = { address: '127.0.0.1' };

/** Tokens come back so slowly that a test sees only the burst. */
const two = { requests: 1, unit: 'Hour', burst: 2 } as const;

type Rules = NonNullable<RateLimit['local']>['rules'];

function site(rules: Rules, isMtls = true, more: Partial<NonNullable<RateLimit['local']>> = {}): Site<RateLimit> {
  return {
    stanzas: [{ value: { type: 'Local', local: { rules, ...more } }, policy: { kind: 'TrafficPolicy', namespace: 'shop', name: 'p' } }],
    isMtls,
    protocol: 'HTTP',
  };
}

async function start(t: Parameters<typeof startSites>[0], sites: readonly Site<RateLimit>[]) {
  const credentials = await makeCredentials(
    trustDomain,
    [web, cart].flatMap((caller) => caller?.identity ?? []),
  );
  const app = await startHttp(t, 'app', answer(200));
  const running = await startSites(t, 'rateLimit', sites, { credentials, app: app.port });
  const ask = async (index: number, caller: Caller = stranger, request: Partial<Request> = {}) => {
    const socket = await open(caller, running.at(index), credentials);
    const got = await exchange(socket, { method: 'GET', path: '/', headers: [], ...request });
    socket.destroy();
    return got;
  };
  const statuses = async (count: number, index: number, caller?: Caller, request?: Partial<Request>) => {
    const found: number[] = [];
    for (let each = 0; each < count; each++) found.push((await ask(index, caller, request)).status);
    return found;
  };
  return { ...running, app, ask, statuses, credentials };
}

test('a caller has a bucket of its own, and is told what is left of it if asked for', { timeout: 60_000 }, async (t) => {
  const each: Rules = [{ name: 'caller', key: 'ClientIdentity', limit: two }];
  const { ask, statuses } = await start(t, [site(each, true, { responseHeaders: 'XRateLimit' }), site(each, false)]);
  const first = await ask(0, web);
  assert.deepEqual([first.status, first.headers.get('x-ratelimit-limit')?.split(',')[0], first.headers.get('x-ratelimit-remaining')], [200, '2', '1']);
  assert.deepEqual(await statuses(2, 0, web), [200, 429]);
  assert.deepEqual(await statuses(3, 0, cart), [200, 200, 429]);
  assert.match((await ask(0, web)).headers.get('retry-after') ?? '', /^[1-9][0-9]*$/);

  assert.deepEqual(await statuses(3, 1), [200, 200, 429], 'callers without a name share one');
  const refused = await ask(1);
  assert.deepEqual(
    ['x-ratelimit-limit', 'retry-after'].map((name) => refused.headers.has(name)),
    [false, true],
  );
});

test('a value of a header has a bucket of its own, and what is missing or long shares one', { timeout: 60_000 }, async (t) => {
  const { statuses } = await start(t, [site([{ name: 'user', key: 'Header', header: { name: 'X-User' }, limit: two }])]);
  const user = (name: string) => ({ headers: [['x-user', name]] as const });
  assert.deepEqual(await statuses(3, 0, web, user('a')), [200, 200, 429]);
  assert.deepEqual(await statuses(3, 0, cart, user('b')), [200, 200, 429]);
  assert.deepEqual(await statuses(1, 0, cart, user('a')), [429], 'whoever sends it');
  assert.deepEqual(await statuses(1, 0, web, user('x'.repeat(257))), [200]);
  assert.deepEqual(await statuses(1, 0, web, user('y'.repeat(257))), [200]);
  assert.deepEqual(await statuses(1, 0, web), [429]);
  assert.deepEqual(await statuses(2, 0, web, user('header')), [200, 200], 'that bucket has no name that a caller could send');
});

test('a caller who invents values makes a rule keep 4,096 buckets, and no more', { timeout: 120_000 }, async (t) => {
  const limit = { requests: 1, unit: 'Hour' } as const;
  const { at, credentials } = await start(t, [site([{ name: 'user', key: 'Header', header: { name: 'x-user' }, limit }])]);
  const sockets = await Promise.all(Array.from({ length: 8 }, () => open(web ?? stranger, at(0), credentials)));
  const ask = async (socket = sockets[0] ?? assert.fail(), user = 'first') =>
    (await exchange(socket, { method: 'GET', path: '/', headers: [['x-user', user]] })).status;
  const invent = (count: number, from: number) =>
    Promise.all(
      sockets.map(async (socket, index) => {
        for (let each = index; each < count; each += sockets.length) await ask(socket, `u${from + each}`);
      }),
    );
  assert.deepEqual([await ask(), await ask()], [200, 429]);
  await invent(4000, 0);
  assert.equal(await ask(), 429);
  await invent(4200, 4000);
  assert.equal(await ask(), 200);
  for (const socket of sockets) socket.destroy();
});

test('a route has one bucket, however its path is written', { timeout: 60_000 }, async (t) => {
  const { statuses, readLog } = await start(t, [site([{ name: 'search', match: { method: 'GET', path: { value: '/search' } }, limit: two }])]);
  assert.deepEqual(await statuses(1, 0, web, { path: '/search?q=1' }), [200]);
  assert.deepEqual(await statuses(1, 0, cart, { path: '//search/more' }), [200]);
  assert.deepEqual(await statuses(1, 0, cart, { path: '/x/../%73earch' }), [429]);
  assert.deepEqual(await statuses(1, 0, web, { path: '/search', method: 'POST' }), [200]);
  assert.deepEqual(await statuses(3, 0, web, { path: '/searching' }), [200, 200, 200]);
  const lines = await readLog();
  assert.deepEqual(
    lines.filter(({ flags }) => flags === 'RL').map(({ status, source }) => [status, source]),
    [[429, 'spiffe://cluster.local/ns/shop/sa/cart']],
  );
});

test('a gRPC call that is refused gets RESOURCE_EXHAUSTED', { timeout: 60_000 }, async (t) => {
  const { at, credentials } = await start(t, [site([{ name: 'all', limit: { requests: 1, unit: 'Hour' } }])]);
  const headers = { ':method': 'POST', ':path': '/shop.Reviews/List', 'content-type': 'application/grpc' };
  assert.equal((await exchangeHttp2(web ?? stranger, at(0), credentials, headers)).headers.get('grpc-status'), undefined);
  assert.equal((await exchangeHttp2(web ?? stranger, at(0), credentials, headers)).headers.get('grpc-status'), '8');
});

test('tokens come back as time goes by', { timeout: 60_000 }, async (t) => {
  const { ask } = await start(t, [site([{ name: 'all', limit: { requests: 5, burst: 1 } }])]);
  assert.equal((await ask(0, web)).status, 200);
  await eventually(async () => (await ask(0, web)).status === 429);
  await eventually(async () => (await ask(0, web)).status === 200);
});

test('Shadow lets everything through, counts what it would not, and spends no token of a rule that is in force', { timeout: 60_000 }, async (t) => {
  const limit = { requests: 1, unit: 'Hour' } as const;
  const trial = { name: 'trial', mode: 'Shadow', limit } as const;
  const shadowed = {
    ...site([{ name: 'later', limit }]),
    stanzas: site([{ name: 'later', limit }]).stanzas.map((stanza) => ({ ...stanza, mode: 'Shadow' as const })),
  };
  const { statuses, envoy, app } = await start(t, [site([trial, { name: 'all', limit: two }]), shadowed]);
  assert.deepEqual(await statuses(3, 0, web), [200, 200, 429]);
  assert.deepEqual(await statuses(4, 1, web, { headers: [['x-a', 'b']] }), [200, 200, 200, 200]);
  assert.deepEqual(
    new Set(app.arrivals.flatMap(({ headers }) => Object.keys(headers))),
    new Set(['host', 'x-a', 'x-request-id', 'x-forwarded-proto', 'x-forwarded-client-cert']),
  );
  const stats = await envoy.admin('/stats/prometheus?filter=rate_limited');
  assert.match(stats, /^envoy_weft_rate_limit_shadow_shop_p_trial_http_local_rate_limit_rate_limited\{\} 2$/m);
  assert.match(stats, /^envoy_weft_rate_limit_shadow_shop_p_later_http_local_rate_limit_rate_limited\{\} 3$/m);
});

test('a TCP port counts connections, and closes those that are too many before the app hears of them', { timeout: 60_000 }, async (t) => {
  const tcp = { ...site([{ name: 'all', limit: two }], false), protocol: 'TCP' } as const;
  const { statuses, app } = await start(t, [tcp]);
  assert.deepEqual(await statuses(4, 0), [200, 200, 0, 0]);
  assert.equal(app.arrivals.length, 2);
});

test('a request that is denied takes no token', { timeout: 60_000 }, async (t) => {
  const authorization = { rules: [{ name: 'a', sources: [{ type: 'ServiceAccount', serviceAccount: { name: 'web' } }] }] };
  const others = new Map([['authorization', [{ value: authorization, policy: { kind: 'TrafficPolicy', namespace: 'shop', name: 'p' } }]]]);
  const { statuses } = await start(t, [{ ...site([{ name: 'all', limit: two }]), others }]);
  assert.deepEqual(await statuses(3, 0, cart), [403, 403, 403]);
  assert.deepEqual(await statuses(3, 0, web), [200, 200, 429]);
});
