/** What a real Envoy counts, logs and traces with the filters that Weft makes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { seriesLimits } from '../../src/compile/telemetry-metrics.js';
import { defaultTelemetry } from '../../src/model/telemetry.js';
import { startCollector, type Told } from '../support/collector.js';
import { ask, askMany, type Handler, startHttp } from '../support/http.js';
import { eventually } from '../support/mesh.js';
import { portOf } from '../support/port.js';
import { peer, startProxy } from '../support/reporting-envoy.js';

/** Answers with the status that the path names, and with the gRPC status of the query. */
const asAsked: Handler = (response, { url }) => {
  const { pathname, searchParams } = new URL(url, 'http://app');
  const status = Number(pathname.slice(1));
  const grpc = searchParams.get('grpc');
  if (status === 0) response.destroy();
  else response.writeHead(status, grpc === null ? {} : { 'content-type': 'application/grpc', 'grpc-status': grpc }).end('answer');
};

const grpcCall = { headers: { 'content-type': 'application/grpc' } };

/** The value of the time series with this name and, among others, these labels. */
function sampleOf(metrics: string, name: string, labels: Readonly<Record<string, string>>): number | undefined {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const lines = metrics.split('\n').filter((line) => line.startsWith(`envoy_weft_${name}{`) && wanted.every((label) => line.includes(label)));
  assert.ok(lines.length <= 1, lines.join('\n'));
  return lines[0] === undefined ? undefined : Number(lines[0].slice(lines[0].lastIndexOf(' ')));
}

test('calls are counted on both sides by who calls whom, without a word of configuration', { timeout: 60_000 }, async (t) => {
  const app = await startHttp(t, 'app', asAsked);
  const proxy = await startProxy(t, defaultTelemetry, app.port);
  const url = (path: string) => `http://web.shop/${path}`;
  for (const path of ['200', '200', '404', '500', '777']) await ask(proxy.http, url(path));
  await ask(proxy.http, url('200?grpc=14'), grpcCall);
  await ask(proxy.http, url('200?grpc=12345'), grpcCall);
  await ask(proxy.plain, url('200'), { headers: { 'x-rule': 'shop/allow-web' } });
  const metrics = await eventually(async () => {
    // Durations appear when Envoy flushes its statistics.
    const text = await proxy.envoy.admin('/stats/prometheus');
    return /^envoy_weft_request_duration_milliseconds_count\{direction="outbound".* 7$/m.test(text) ? text : undefined;
  });
  for (const direction of ['outbound', 'inbound']) {
    const who = { direction, source: peer, destination: 'web.shop.80' };
    const requests = (labels: Readonly<Record<string, string>>) => sampleOf(metrics, 'requests_total', { ...who, ...labels });
    assert.equal(requests({ response_code_class: '2xx', grpc_status: '', response_flags: '-', protocol: 'HTTP/1.1' }), 2, direction);
    assert.equal(requests({ response_code_class: '4xx' }), 1);
    assert.equal(requests({ response_code_class: '5xx' }), 1);
    assert.equal(requests({ response_code_class: 'none' }), 1, 'a status that does not exist has no class');
    assert.equal(requests({ grpc_status: '14' }), 1);
    assert.equal(requests({ grpc_status: 'other' }), 1, 'nor does an app choose labels');
    assert.equal(sampleOf(metrics, 'request_duration_milliseconds_count', who), 7);
    assert.equal(sampleOf(metrics, 'request_duration_milliseconds_bucket', { ...who, le: '10000' }), 7);
  }
  assert.equal(sampleOf(metrics, 'requests_total', { direction: 'inbound', source: '', rule: 'shop/allow-web' }), 1, 'nobody vouches for plaintext');
  assert.deepEqual(await proxy.log(), [], 'nothing is logged unless asked for');
});

test('a failure has its flag, and a TCP connection its bytes', { timeout: 60_000 }, async (t) => {
  const app = await startHttp(t, 'app', asAsked);
  const tcp = createServer((socket) => socket.end('12345')).listen(0, '127.0.0.1');
  t.after(() => tcp.close());
  await once(tcp, 'listening');
  const proxy = await startProxy(t, defaultTelemetry, app.port, portOf(tcp));
  assert.equal((await ask(proxy.http, 'http://web.shop/0')).status, 503);
  const socket = connect(proxy.tcp, '127.0.0.1').resume();
  socket.end('123');
  await once(socket, 'close');
  const who = { direction: 'outbound', source: peer, destination: 'db.shop.3306' };
  const metrics = await eventually(async () => {
    const text = await proxy.envoy.admin('/stats/prometheus');
    return sampleOf(text, 'tcp_connections_closed_total', who) === undefined ? undefined : text;
  });
  assert.equal(sampleOf(metrics, 'tcp_sent_bytes_total', who), 5);
  assert.equal(sampleOf(metrics, 'tcp_received_bytes_total', who), 3);
  assert.equal(sampleOf(metrics, 'requests_total', { direction: 'inbound', response_flags: 'UC' }), 1);
});

test('a proxy takes no more time series than its limit', { timeout: 120_000 }, async (t) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  t.after(() => agent.destroy());
  const app = await startHttp(t, 'app', asAsked);
  const proxy = await startProxy(t, defaultTelemetry, app.port);
  const rules = Array.from({ length: seriesLimits.counters + 50 }, (_, index) => `rule-${index}`);
  await askMany(rules.length, 8, (index) => ask(proxy.plain, 'http://web.shop/200', { agent, headers: { 'x-rule': rules[index] ?? '' } }));
  const metrics = await proxy.envoy.admin('/stats/prometheus');
  assert.equal(metrics.match(/^envoy_weft_requests_total\{direction="inbound"/gm)?.length, seriesLimits.counters);
  assert.ok(Number(/^envoy_server_stats_overflow_counter\{\} (\d+)$/m.exec(metrics)?.[1]) >= 50, 'what is left out is counted');
  await ask(proxy.http, 'http://web.shop/200');
  assert.match(await proxy.envoy.admin('/stats/prometheus'), /^envoy_weft_requests_total\{direction="outbound"/m, 'the other direction has a limit of its own');
});

test('an access log is JSON, tells no query, and holds failures only where that is asked', { timeout: 60_000 }, async (t) => {
  const app = await startHttp(t, 'app', asAsked);
  for (const mode of ['Errors', 'All'] as const) {
    const proxy = await startProxy(t, { ...defaultTelemetry, accessLog: { mode, output: 'Stdout' } }, app.port);
    for (const path of ['200', '200?grpc=0', '200?grpc=5', '500?secret=1'])
      await ask(proxy.http, `http://web.shop/${path}`, path.includes('grpc') ? grpcCall : {});
    const lines = await eventually(async () => {
      const all = (await proxy.log()).filter(({ direction }) => direction === 'outbound');
      return all.some(({ status }) => status === 500) ? all : undefined;
    });
    assert.deepEqual(
      lines.map(({ status, grpc_status }) => [status, grpc_status]),
      mode === 'All'
        ? [
            [200, null],
            [200, 0],
            [200, 5],
            [500, null],
          ]
        : [
            [200, 5],
            [500, null],
          ],
    );
    const { source, destination, path, method, flags, request_id } = lines.at(-1) ?? {};
    assert.deepEqual({ source, destination, path, method, flags }, { source: peer, destination: 'web.shop.80', path: '/500', method: 'GET', flags: '-' });
    assert.match(String(request_id), /^[0-9a-f-]{36}$/);
  }
});

test('spans and log records reach a collector, one trace through both sides', { timeout: 60_000 }, async (t) => {
  const app = await startHttp(t, 'app', asAsked);
  const { port, spans, records } = await startCollector(t);
  const telemetry = {
    ...defaultTelemetry,
    accessLog: { mode: 'All', output: 'OpenTelemetry' },
    tracing: { samplingPercent: 100 },
    collector: { host: '127.0.0.1', port },
  } as const;
  const proxy = await startProxy(t, telemetry, app.port);
  const id = 'e5ac3f6a-1f6c-4f4b-9b1a-3a1b2c3d4e5f';
  await ask(proxy.http, 'http://web.shop/200?secret=1', { headers: { 'x-request-id': id } });
  const [client, server] = await eventually(async () => {
    const found = ['SPAN_KIND_CLIENT', 'SPAN_KIND_SERVER'].map((kind) => spans.find((span) => span.kind === kind));
    return found.every((span) => span !== undefined) ? found : undefined;
  });
  assert.equal(client?.traceId, server?.traceId);
  assert.equal(client?.resource['service.name'], 'web');
  const [arrival] = app.arrivals;
  assert.match(String(arrival?.headers['traceparent']), new RegExp(`^00-${client?.traceId}-`));
  assert.equal(arrival?.headers['x-request-id'], id, 'it is the id of the app');
  const record = await eventually(async () => records.find(({ attributes }) => attributes['direction'] === 'inbound'));
  assert.deepEqual([record.attributes['source'], record.attributes['destination'], record.traceId], [peer, 'web.shop.80', client?.traceId]);
  assert.ok(![...spans, ...records].some(tellsSecret), 'no query is told');
});

const tellsSecret = (told: Told): boolean => JSON.stringify(told).includes('secret');

test('who samples nothing still goes on with a trace that came, and a header forces none', { timeout: 60_000 }, async (t) => {
  const app = await startHttp(t, 'app', asAsked);
  const { port, spans } = await startCollector(t);
  const proxy = await startProxy(t, { ...defaultTelemetry, tracing: { samplingPercent: 0 }, collector: { host: '127.0.0.1', port } }, app.port);
  const trace = '0af7651916cd43dd8448eb211c80319c';
  await ask(proxy.http, 'http://web.shop/200', { headers: { 'x-client-trace-id': 'mine', 'x-envoy-force-trace': '1' } });
  await ask(proxy.http, 'http://web.shop/200', { headers: { traceparent: `00-${trace}-b7ad6b7169203331-01` } });
  await eventually(async () => spans.length >= 2);
  assert.deepEqual([...new Set(spans.map(({ traceId }) => traceId))], [trace]);
});
