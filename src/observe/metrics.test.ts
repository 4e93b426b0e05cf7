import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { createInstruments } from './instruments.js';
import { createMetrics } from './metrics.js';
import { startMetrics } from './metrics-server.js';

/** The lines of the metrics whose names begin so, without comments. */
async function lines(text: string | Promise<string>, prefix: string): Promise<readonly string[]> {
  return (await text).split('\n').filter((line) => line.startsWith(prefix));
}

test('families are read when somebody asks, and what is gone is gone', async () => {
  const metrics = createMetrics();
  let rows = [
    { labels: { kind: 'a' }, value: 1 },
    { labels: { kind: 'b' }, value: 2 },
  ];
  let total = 5;
  metrics.add([
    { name: 'weft_x', help: 'x', type: 'gauge', labels: ['kind'], read: () => rows },
    { name: 'weft_y_total', help: 'y', type: 'counter', read: () => [{ value: total }] },
  ]);
  assert.deepEqual(await lines(metrics.text(), 'weft_'), ['weft_x{kind="a"} 1', 'weft_x{kind="b"} 2', 'weft_y_total 5']);
  rows = rows.slice(1);
  total = 7;
  assert.deepEqual(await lines(metrics.text(), 'weft_'), ['weft_x{kind="b"} 2', 'weft_y_total 7']);
  assert.ok((await lines(metrics.text(), 'nodejs_eventloop_lag_seconds')).length > 0 && (await lines(metrics.text(), 'process_cpu_seconds_total')).length > 0);
});

test('callers cannot make time series without end', async () => {
  const metrics = createMetrics();
  const { streamRefused, webhookCalled } = createInstruments(metrics);
  for (let index = 0; index < 500; index++) streamRefused(`CODE${index}${'x'.repeat(1000)}`);
  const refused = await lines(metrics.text(), 'weft_streams_refused_total{');
  assert.deepEqual([refused.length, refused.at(-1)], [101, 'weft_streams_refused_total{code="other"} 400']);
  assert.ok(refused.every((line) => line.length < 200));
  webhookCalled('/inject', 'denied', 0.003);
  assert.deepEqual(await lines(metrics.text(), 'weft_webhook_duration_seconds_count'), [
    'weft_webhook_duration_seconds_count{path="/inject",outcome="denied"} 1',
  ]);
  metrics.add([
    { name: 'weft_many', help: 'm', type: 'gauge', labels: ['n'], read: () => Array.from({ length: 500 }, (_, n) => ({ labels: { n: String(n) }, value: 1 })) },
  ]);
  assert.equal((await lines(metrics.text(), 'weft_many{')).length, 100);
});

test('the port has health, readiness and metrics, and nothing else', async (t) => {
  const metrics = createMetrics();
  let why: string | undefined = 'Pods are not read yet';
  let gathered = 0;
  const text = async () => {
    gathered++;
    return metrics.text();
  };
  const server = await startMetrics('127.0.0.1', 0, { ready: () => why, metrics: { text, contentType: metrics.contentType } });
  t.after(() => server.close());
  const get = async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    return { status: response.status, body: await response.text() };
  };
  assert.deepEqual(await get('/healthz'), { status: 200, body: 'ok\n' });
  assert.deepEqual(await get('/readyz'), { status: 503, body: 'Pods are not read yet\n' });
  why = undefined;
  assert.deepEqual(await get('/readyz'), { status: 200, body: 'ok\n' });
  const answers = await Promise.all(Array.from({ length: 20 }, () => get('/metrics')));
  assert.ok(answers.every(({ status, body }) => status === 200 && body.includes('process_cpu_seconds_total')));
  assert.ok(gathered < 20, `gathered ${gathered} times for 20 who asked at once`);
  for (const path of ['/', '/status', '/ports', '/report', '/debug']) assert.equal((await get(path)).status, 404);
  assert.equal((await get('/metrics', 'POST')).status, 405);
});

test('a probe of the kubelet is answered while somebody holds as many connections as the port gives away', async (t) => {
  const metrics = createMetrics();
  const server = await startMetrics('127.0.0.1', 0, { ready: () => undefined, metrics });
  const flood = Array.from({ length: 200 }, (_, index) =>
    connect({ port: server.port, host: '127.0.0.1', localAddress: `127.0.1.${1 + (index % 10)}` }).on('error', () => undefined),
  );
  t.after(() => {
    for (const socket of flood) socket.destroy();
    return server.close();
  });
  await Promise.all(flood.map((socket) => once(socket, 'connect')));
  const [response] = await once(get({ port: server.port, host: '127.0.0.1', path: '/healthz', agent: false }), 'response');
  assert.equal(response.resume().statusCode, 200);
});
