import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { decode } from '../../src/envoy/decode.js';
import { encode } from '../../src/envoy/encode.js';
import { openDeaf } from '../support/deaf.js';
import { line } from '../support/peer.js';
import { adsPath, ask, connect, openBytes, openDelta, openSotw } from '../support/xds-client.js';
import { startTestServer, type TestServer, type TestServerOptions } from '../support/xds-server.js';

const csds = '/envoy.service.status.v3.ClientStatusDiscoveryService';
const health = '/grpc.health.v1.Health/Check';

async function withServer(options: TestServerOptions, run: (server: TestServer, client: grpc.Client) => Promise<void>): Promise<void> {
  const server = await startTestServer(options);
  const client = connect(server.port);
  try {
    await run(server, client);
  } finally {
    client.close();
    await server.close();
  }
}

test('delta: on demand, in order, several types on one stream', () =>
  withServer({}, async ({ world }, client) => {
    world.setRoute('r', ['c'], '1');
    const envoy = openDelta(client);
    envoy.request('Cluster');
    assert.equal(line(await envoy.take()), 'Cluster');
    envoy.request('VirtualHost');
    assert.equal(line(await envoy.take()), 'VirtualHost');
    envoy.request('VirtualHost', { resource_names_subscribe: ['r', 'none'] });
    assert.deepEqual(
      [line(await envoy.take()), line(await envoy.take()), line(await envoy.take())],
      ['Cluster +c', 'ClusterLoadAssignment +c', 'VirtualHost +r ?none'],
    );
    world.set('ClusterLoadAssignment', 'c', '2');
    assert.equal(line(await envoy.take()), 'ClusterLoadAssignment +c');
  }));

test('sotw: several types on one stream, clusters whole', () =>
  withServer({}, async ({ world }, client) => {
    world.setRoute('r', ['c', 'd'], '1');
    const envoy = openSotw(client);
    envoy.request('Cluster', { resource_names: ['c', 'd'] });
    assert.equal(line(await envoy.take()), 'Cluster +c +d');
    envoy.request('ClusterLoadAssignment', { resource_names: ['c'] });
    assert.equal(line(await envoy.take()), 'ClusterLoadAssignment +c');
    world.set('Cluster', 'd', '2');
    assert.equal(line(await envoy.take()), 'Cluster +c +d');
  }));

test('two clients of one workload share what they learn; the stream that ends leaves nothing behind', () =>
  withServer({ limits: { idle: 0 } }, async ({ world, registry }, client) => {
    world.setRoute('r', ['c'], '1');
    const first = openDelta(client);
    first.request('VirtualHost', { resource_names_subscribe: ['*', 'r'] });
    assert.equal(line(await first.take()), 'VirtualHost +r');
    const second = openDelta(client);
    second.request('VirtualHost');
    assert.equal(line(await second.take()), 'VirtualHost +r');
    assert.equal(registry.size(), 2);
    first.cancel();
    second.call.end();
    assert.equal((await second.ended).code, grpc.status.OK);
    await until(() => registry.size() === 0);
    assert.equal(world.snapshot.size(), 0);
  }));

test("the client status service tells what is synced, pending, refused and absent, in the client's words", () =>
  withServer({}, async ({ world, refusals }, client) => {
    for (const name of ['good', 'bad', 'slow']) world.set('Cluster', name, '1');
    const envoy = openDelta(client, 'shop/web');
    for (const name of ['good', 'bad', 'slow', 'none']) {
      envoy.request('Cluster', { resource_names_subscribe: [name] });
      const reply = await envoy.next();
      if (name === 'bad') envoy.nack(reply, 'connect_timeout: value must be greater than 0s');
      else if (name !== 'slow') envoy.ack(reply);
    }
    envoy.request('RouteConfiguration', { resource_names_subscribe: ['s'] });
    await envoy.take();
    const request = encode('envoy.service.status.v3.ClientStatusRequest', { node_matchers: [{ node_id: { exact: 'shop/web' } }] });
    const stream = openBytes(client, `${csds}/StreamClientStatus`);
    stream.send(request);
    const unary = await ask(client, `${csds}/FetchClientStatus`, request);
    assert.ok(!('code' in unary));
    const answers: readonly Buffer[] = [unary, await stream.next()];
    for (const answer of answers) {
      const { config = [] } = decode('envoy.service.status.v3.ClientStatusResponse', answer);
      assert.equal(config.length, 1);
      const rows = (config[0]?.generic_xds_configs ?? []).filter(({ type_url }) => type_url?.endsWith('.Cluster'));
      const states = rows.map(({ name, config_status, error_state, xds_config }) => [name, config_status, error_state?.details, xds_config?.['name']]);
      assert.deepEqual(states, [
        ['bad', 'ERROR', 'connect_timeout: value must be greater than 0s', undefined],
        ['good', 'SYNCED', undefined, 'good'],
        ['none', 'NOT_SENT', undefined, undefined],
        ['slow', 'STALE', undefined, 'slow'],
      ]);
    }
    assert.deepEqual(refusals, ['shop/web type.googleapis.com/envoy.config.cluster.v3.Cluster connect_timeout: value must be greater than 0s']);
    stream.cancel();
  }));

test('health is SERVING', () =>
  withServer({}, async (_, client) => {
    assert.deepEqual(await ask(client, health), Buffer.from([8, 1]));
  }));

test('a client that does not read is cut off when its time is up, and its stream is reset', () =>
  withServer({ constants: [{ type: 'Cluster', name: 'big' }], serveLimits: { unreadMs: 100 } }, async ({ world, registry, port }) => {
    world.set('Cluster', 'big', 'x'.repeat(500_000));
    const deaf = openDeaf(port, adsPath.delta);
    deaf.send(
      encode('envoy.service.discovery.v3.DeltaDiscoveryRequest', { node: { id: 'web' }, type_url: 'type.googleapis.com/envoy.config.cluster.v3.Cluster' }),
    );
    await until(() => registry.size() === 1);
    await until(() => registry.size() === 0);
    const cancel = 8;
    assert.equal(await deaf.closed, cancel);
    deaf.close();
  }));

/** Waits for something that has no event of its own. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}
