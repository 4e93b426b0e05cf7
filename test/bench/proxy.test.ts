import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from '../../src/envoy/decode.js';
import { encode } from '../../src/envoy/encode.js';
import { createProxy, type SimulatedProxy } from './proxy.js';
import { readResponse, type Type, urls } from './resources.js';
import { field } from './wire.js';

const host = '10.0.0.1:80';
const key = `out/${host}`;

const bodies: Readonly<Record<string, Buffer>> = {
  base: encode('envoy.config.cluster.v3.Cluster', { name: 'base', type: 'STATIC' }),
  reviews: encode('envoy.config.cluster.v3.Cluster', { name: 'reviews', type: 'EDS', eds_cluster_config: { service_name: 'reviews-endpoints' } }),
  'reviews-endpoints': encode('envoy.config.endpoint.v3.ClusterLoadAssignment', { cluster_name: 'reviews-endpoints' }),
  outbound: encode('envoy.config.listener.v3.Listener', {
    name: 'outbound',
    default_filter_chain: {
      filters: [
        {
          name: 'http',
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
            rds: { route_config_name: 'out' },
          },
        },
      ],
    },
  }),
  out: encode('envoy.config.route.v3.RouteConfiguration', { name: 'out', vhds: { config_source: { ads: {} } } }),
  'out/_base': encode('envoy.config.route.v3.VirtualHost', { name: 'out/_base', domains: ['base.invalid'] }),
  [key]: encode('envoy.config.route.v3.VirtualHost', {
    name: key,
    domains: ['10.0.0.1'],
    routes: [{ match: { prefix: '/' }, route: { weighted_clusters: { clusters: [{ name: 'reviews', weight: 1 }] } } }],
  }),
};

/** A proxy, what it has sent since it was last asked (`type names`, `ack type nonce`), and a way to answer it. */
function start() {
  let sent: string[] = [];
  let isReady = false;
  const proxy: SimulatedProxy = createProxy({ node: Buffer.alloc(0), send: (request) => sent.push(describe(request)), onReady: () => (isReady = true) });
  const answer = (type: Type, name: string, nonce = '1', isThere = true) => {
    const body = isThere ? [field(2, Buffer.concat([field(1, urls[type]), field(2, bodies[name] ?? '')]))] : [];
    const resource = Buffer.concat([field(1, 'v'), ...body, field(3, name), field(4, name)]);
    proxy.receive(readResponse(Buffer.concat([field(2, resource), field(4, urls[type]), field(5, nonce)])));
  };
  const heard = () => {
    const all = sent;
    sent = [];
    return all;
  };
  return { proxy, answer, heard, isReady: () => isReady };
}

function describe(bytes: Buffer): string {
  const { type_url, resource_names_subscribe = [], response_nonce } = decode('envoy.service.discovery.v3.DeltaDiscoveryRequest', bytes);
  const type = Object.entries(urls).find(([, url]) => url === type_url)?.[0];
  return response_nonce ? `ack ${type} ${response_nonce}` : [type, ...resource_names_subscribe].join(' ');
}

function warm() {
  const started = start();
  const { proxy, answer } = started;
  proxy.begin();
  answer('cds', 'base');
  answer('lds', 'outbound');
  answer('rds', 'out');
  assert.equal(started.isReady(), false);
  answer('vhds', 'out/_base');
  return started;
}

test('it starts as Envoy does, and is ready with its first virtual host', () => {
  const { heard, isReady } = warm();
  assert.deepEqual(heard(), ['cds', 'lds', 'ack cds 1', 'rds out', 'ack lds 1', 'vhds', 'ack rds 1', 'ack vhds 1']);
  assert.equal(isReady(), true);
});

test('a call asks for what it lacks, and a Cluster is acknowledged after its endpoints', () => {
  const { proxy, answer, heard } = warm();
  let isDone = false;
  heard();
  proxy.call(host, () => (isDone = true));
  answer('vhds', key, '2');
  assert.deepEqual(heard(), [`vhds ${key}`, 'ack vhds 2', 'cds reviews']);
  answer('cds', 'reviews', '3');
  assert.deepEqual(heard(), ['eds reviews-endpoints']);
  assert.equal(isDone, false);
  answer('eds', 'reviews-endpoints', '4');
  assert.deepEqual(heard(), ['ack cds 3', 'ack eds 4']);
  assert.equal(isDone, true);
  assert.deepEqual(proxy.oddities, { unknownHosts: 0, foreignDomains: 0, unasked: 0, missingClusters: 0 });
});

test('what was pushed is not asked for, and endpoints before their Cluster are dropped without an acknowledgement', () => {
  const { proxy, answer, heard } = warm();
  heard();
  answer('eds', 'reviews-endpoints', '2');
  assert.deepEqual(heard(), []);
  answer('cds', 'reviews', '3');
  answer('eds', 'reviews-endpoints', '4');
  answer('vhds', key, '5');
  let isDone = false;
  heard();
  proxy.call(host, () => (isDone = true));
  assert.deepEqual(heard(), []);
  assert.equal(isDone, true);
  assert.equal(proxy.oddities.unasked, 1);
});

test('a host that is missing is asked for once, and the call goes on when it appears', () => {
  const { proxy, answer, heard } = warm();
  heard();
  proxy.call(host, () => undefined);
  answer('vhds', key, '2', false);
  assert.deepEqual(heard(), [`vhds ${key}`, 'ack vhds 2']);
  assert.equal(proxy.oddities.unknownHosts, 1);
  answer('vhds', key, '3');
  assert.deepEqual(heard(), ['ack vhds 3', 'cds reviews']);
});
