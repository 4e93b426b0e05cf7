/** Every client-side stanza does to real requests what it says. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test } from 'node:test';
import type { Cleanup } from '../support/envoy.js';
import { type Arrival, answer, ask, askMany, echo, echoed, type Handler, type HttpBackend, hold, startHttp } from '../support/http.js';
import type { Manifest } from '../support/manifests.js';
import { createMesh, eventually, type Mesh } from '../support/mesh.js';

const v1 = { version: 'v1' };
const v2 = { version: 'v2' };

/** A backend of a Service, all of it or the pods with these labels. */
const to = (name: string, more: Manifest = {}) => ({ name, port: 80, ...more });
const pods = (matchLabels: Readonly<Record<string, string>>) => ({ podSelector: { matchLabels } });
const prefix = (value: string) => [{ path: { type: 'PathPrefix', value } }];

/** Fails every second time. */
const flaky: Handler = (response, _, count) => void response.writeHead(count % 2 === 0 ? 200 : 503).end();

/** Refuses each request when it comes first; holds it when it comes again. */
const holdsRetries = (): Handler => {
  const seen = new Set<unknown>();
  return (response, { headers }) => {
    if (!seen.has(headers['x-id'])) response.writeHead(503).end();
    seen.add(headers['x-id']);
  };
};

interface Deployed {
  /** In the order of their handlers; the pods of the first half are labelled v1, those of the second v2. */
  readonly backends: readonly HttpBackend[];
  readonly url: string;
}

/** A Service of this name with a backend per handler, and its policy. */
async function deploy(t: Cleanup, mesh: Mesh, name: string, handlers: readonly Handler[], spec?: Manifest): Promise<Deployed> {
  const backends = await Promise.all(handlers.map((handler, index) => startHttp(t, `${name}-${index}`, handler)));
  await mesh.deploy({ name, members: backends.map(({ port }, index) => ({ port, labels: index < handlers.length / 2 ? v1 : v2 })) });
  if (spec) await mesh.policy(name, spec);
  return { backends, url: `http://${name}.shop/` };
}

/** All Services and policies, there before Weft starts, so that each policy holds from the first request on. */
async function deployAll(t: Cleanup, mesh: Mesh) {
  const split = (one: number, two: number) => ({
    rules: [{ backendRefs: [to('split', { weight: one, ...pods(v1) }), to('split', { weight: two, ...pods(v2) })] }],
  });
  const retry = { codes: [503], attempts: 1, backoff: '1ms' };
  return {
    split: await deploy(t, mesh, 'split', [echo, echo], split(90, 10)),
    zero: await deploy(t, mesh, 'zero', [echo, echo], {
      rules: [{ backendRefs: [to('zero', { weight: 1, ...pods(v1) }), to('zero', { weight: 0, ...pods(v2) })] }],
    }),
    routed: await deploy(t, mesh, 'routed', [echo, echo], routedRules),
    mirrored: await deploy(t, mesh, 'mirrored', [echo], {
      rules: [{ filters: [{ type: 'RequestMirror', requestMirror: { backendRef: to('shadow') } }], backendRefs: [to('mirrored')] }],
    }),
    shadow: await deploy(t, mesh, 'shadow', [answer(500)]),
    flaky: await deploy(t, mesh, 'flaky', [flaky]),
    retried: await deploy(t, mesh, 'retried', [flaky], { retry }),
    unlimited: await deploy(t, mesh, 'unlimited', [holdsRetries()], { retry }),
    budgeted: await deploy(t, mesh, 'budgeted', [holdsRetries()], {
      retry,
      retryConstraint: { budget: { percent: 0 }, minRetryRate: { count: 2, interval: '1s' } },
    }),
    slow: await deploy(t, mesh, 'slow', [hold], { timeouts: { request: '300ms' } }),
    narrow: await deploy(t, mesh, 'narrow', [hold], { circuitBreaker: { maxParallelRequests: 2 } }),
    sick: await deploy(t, mesh, 'sick', [echo, answer(500), echo], {
      outlierDetection: { consecutive5xxErrors: 3, baseEjectionTime: '1h', maxEjectionTime: '1h', maxEjectionPercent: 50 },
      loadBalancing: { type: 'RoundRobin' },
    }),
    hashed: await deploy(t, mesh, 'hashed', [echo, echo, echo, echo], {
      loadBalancing: { type: 'ConsistentHash', consistentHash: { type: 'Header', header: { name: 'X-User' } } },
    }),
  };
}

const routedRules = {
  rules: [
    { name: 'tester', matches: [{ headers: [{ name: 'x-tester', value: 'true' }] }], backendRefs: [to('routed', pods(v2))] },
    {
      name: 'path',
      matches: prefix('/old'),
      filters: [{ type: 'URLRewrite', urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/new' } } }],
      backendRefs: [to('routed')],
    },
    {
      name: 'host',
      matches: prefix('/host'),
      filters: [{ type: 'URLRewrite', urlRewrite: { hostname: 'elsewhere.example' } }],
      backendRefs: [to('routed')],
    },
    {
      name: 'redirect',
      matches: prefix('/gone'),
      filters: [
        {
          type: 'RequestRedirect',
          requestRedirect: { scheme: 'https', hostname: 'www.example', path: { type: 'ReplaceFullPath', replaceFullPath: '/here' }, statusCode: 301 },
        },
      ],
    },
    {
      name: 'headers',
      matches: prefix('/headers'),
      filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'X-Who', value: 'rule' }], remove: ['X-Gone'] } }],
      backendRefs: [
        to('routed', {
          filters: [
            {
              type: 'RequestHeaderModifier',
              requestHeaderModifier: { set: [{ name: 'x-who', value: 'backend' }], add: [{ name: 'x-gone', value: '100%' }] },
            },
          ],
        }),
      ],
    },
    { name: 'rest', backendRefs: [to('routed', pods(v1))] },
  ],
};

test('policies', { timeout: 120_000 }, async (t) => {
  const mesh = await createMesh(t);
  const services = await deployAll(t, mesh);
  await mesh.start();
  const { port } = await mesh.sidecar('web-1');
  const agent = new Agent({ keepAlive: true });
  t.after(async () => agent.destroy());

  const statusOf = async (url: string, headers: Readonly<Record<string, string>> = {}) => (await ask(port, url, { headers, agent })).status;
  const get = async (url: string, headers: Readonly<Record<string, string>> = {}): Promise<Arrival> => echoed(await ask(port, url, { headers, agent }));
  const arrivals = ({ backends }: Deployed) => backends.map((backend) => backend.arrivals.length);
  const many = (count: number, url: string) => askMany(count, 16, () => statusOf(url));

  await t.test('a split of 90 to 10: 10,000 requests land within four sigma', async (t) => {
    assert.deepEqual(new Set(await many(10_000, services.split.url)), new Set([200]));
    const [, second = 0] = arrivals(services.split);
    t.diagnostic(`${second} of 10,000 requests reached the second version`);
    assert.ok(Math.abs(second - 1000) <= 4 * Math.sqrt(10_000 * 0.1 * 0.9), `${second} of 10,000`);
  });

  await t.test('a weight of 0: no request', async () => {
    await many(200, services.zero.url);
    assert.deepEqual(arrivals(services.zero), [200, 0]);
  });

  await t.test('a match by header, and all others', async () => {
    const { url } = services.routed;
    assert.equal((await get(url, { 'x-tester': 'true' })).backend, 'routed-1');
    assert.equal((await get(url, { 'x-tester': 'truely' })).backend, 'routed-0');
    assert.equal((await get(url)).backend, 'routed-0');
  });

  await t.test('a rewritten path', async () => {
    const { url } = services.routed;
    assert.equal((await get(`${url}old/a?b=c`)).url, '/new/a?b=c');
    assert.equal((await get(`${url}older`)).url, '/older');
  });

  await t.test('a rewritten host', async () => {
    const { url } = services.routed;
    assert.equal((await get(`${url}host`)).headers.host, 'elsewhere.example');
    assert.equal((await get(url)).headers.host, 'routed.shop');
  });

  await t.test('headers: the rule comes first, the backend has the last word', async () => {
    const { headers } = await get(`${services.routed.url}headers`, { 'x-gone': 'as sent', 'x-who': 'caller' });
    assert.deepEqual([headers['x-who'], headers['x-gone']], ['backend', '100%']);
  });

  await t.test('a redirection', async () => {
    const { status, headers } = await ask(port, `${services.routed.url}gone`, { agent });
    assert.deepEqual([status, headers.location], [301, 'https://www.example/here']);
  });

  await t.test('a mirror gets a copy of each request, and the caller never notices', async () => {
    const { mirrored, shadow } = services;
    const answers = await askMany(50, 4, (index) => get(mirrored.url, { 'x-id': String(index) }));
    assert.deepEqual(new Set(answers.map(({ backend }) => backend)), new Set(['mirrored-0']));
    await shadow.backends[0]?.arrived(50);
    const ids = ({ backends }: Deployed) => backends.flatMap((backend) => backend.arrivals.map(({ headers }) => Number(headers['x-id']))).sort((a, b) => a - b);
    assert.deepEqual(ids(shadow), ids(mirrored));
  });

  await t.test('a retry hides every second failure', async () => {
    const failed = async (url: string) => (await many(100, url)).filter((status) => status !== 200).length;
    assert.equal(await failed(services.flaky.url), 50);
    const one = async () => (await askMany(100, 1, () => statusOf(services.retried.url))).filter((status) => status !== 200).length;
    assert.equal(await one(), 0);
  });

  await t.test('a retry budget bounds the retries under way', async () => {
    const load = (url: string) => {
      const sent = { answered: 0, all: Promise.resolve<readonly number[]>([]) };
      sent.all = askMany(30, 30, async (index) => {
        const { status } = await ask(port, url, { headers: { 'x-id': String(index) } });
        sent.answered++;
        return status;
      });
      return sent;
    };
    const release = ({ backends }: Deployed) => backends.flatMap((backend) => backend.held()).forEach((held) => void held.writeHead(200).end());

    const unlimited = load(services.unlimited.url);
    await services.unlimited.backends[0]?.arrived(60);
    release(services.unlimited);
    assert.deepEqual(new Set(await unlimited.all), new Set([200]));

    const budgeted = load(services.budgeted.url);
    await eventually(async () => budgeted.answered === 28);
    await services.budgeted.backends[0]?.arrived(32);
    release(services.budgeted);
    assert.deepEqual((await budgeted.all).toSorted(), [...Array(2).fill(200), ...Array(28).fill(503)]);
    assert.deepEqual(arrivals(services.budgeted), [32]);
  });

  await t.test('a request timeout ends a call that takes longer with 504', async (t) => {
    const begin = performance.now();
    assert.equal(await statusOf(services.slow.url), 504);
    const elapsed = performance.now() - begin;
    t.diagnostic(`504 after ${elapsed.toFixed(0)} ms`);
    assert.ok(elapsed > 290);
    assert.deepEqual(arrivals(services.slow), [1]);
  });

  await t.test('a circuit breaker refuses what exceeds it, and lets the others pass', async () => {
    const [backend] = services.narrow.backends;
    const first = statusOf(services.narrow.url);
    const second = statusOf(services.narrow.url);
    await backend?.arrived(2);
    assert.equal(await statusOf(services.narrow.url), 503);
    for (const held of backend?.held() ?? []) held.writeHead(200).end();
    assert.deepEqual([await first, await second], [200, 200]);
    assert.deepEqual(arrivals(services.narrow), [2]);
  });

  await t.test('outlier detection takes an endpoint out that always fails', async () => {
    const { url } = services.sick;
    await eventually(async () => (await askMany(12, 1, () => statusOf(url))).every((status) => status === 200));
    const [before, sick] = arrivals(services.sick);
    assert.ok(sick !== undefined && sick >= 3);
    assert.deepEqual(new Set(await many(100, url)), new Set([200]));
    const [after = 0, still] = arrivals(services.sick);
    assert.equal(still, sick);
    assert.ok(after > (before ?? 0));
  });

  await t.test('a consistent hash keeps a user at one endpoint', async () => {
    const { url } = services.hashed;
    const users = Array.from({ length: 40 }, (_, index) => `user-${index}`);
    const places = await Promise.all(users.map(async (user) => new Set(await askMany(5, 1, async () => (await get(url, { 'x-user': user })).backend))));
    assert.deepEqual(new Set(places.map(({ size }) => size)), new Set([1]));
    assert.ok(new Set(places.flatMap((place) => [...place])).size > 1);
  });
});
