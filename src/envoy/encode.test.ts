import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decode } from './decode.js';
import { encode, encodeAny } from './encode.js';
import { EncodeError } from './encode-error.js';
import { type Any, type Duration, type Json, type Message, type MessageName, typed } from './types.js';

/** A value from outside, as a YAML file would give it. */
function untyped(json: string): Message<'envoy.config.listener.v3.Listener'> & Message<'envoy.config.route.v3.RouteConfiguration'> {
  return JSON.parse(json);
}

/** The path and message of the error that encoding must give. */
function problem(name: 'envoy.config.listener.v3.Listener' | 'envoy.config.route.v3.RouteConfiguration', json: string): string {
  try {
    encode(name, untyped(json));
  } catch (error) {
    assert.ok(error instanceof EncodeError, String(error));
    assert.ok(error.message.startsWith(error.path || '(top)'), error.message);
    return error.message;
  }
  return 'no error';
}

test('what a message has no place for is an error with its path', () => {
  const any = (content: string) => `{"filter_chains":[{"filters":[{"name":"a","typed_config":${content}}]}]}`;
  const place = 'filter_chains[0].filters[0].typed_config';
  const cases: readonly (readonly [string, string])[] = [
    ['{"nmae":"x"}', 'nmae: envoy.config.listener.v3.Listener has no field nmae'],
    ['{"@type":"x"}', '@type: envoy.config.listener.v3.Listener has no field @type'],
    ['{"address":{"socket_address":{"prot":1}}}', 'address.socket_address.prot: envoy.config.core.v3.SocketAddress has no field prot'],
    ['{"name":1}', 'name: expected a string, got 1'],
    ['{"name":null}', 'name: expected a string, got null'],
    ['{"address":[]}', 'address: expected an object for envoy.config.core.v3.Address, got []'],
    ['{"filter_chains":{}}', 'filter_chains: expected a list, got {}'],
    ['{"traffic_direction":"SIDEWAYS"}', 'traffic_direction: "SIDEWAYS" is not one of UNSPECIFIED, INBOUND, OUTBOUND'],
    ['{"traffic_direction":1}', 'traffic_direction: 1 is not one of UNSPECIFIED, INBOUND, OUTBOUND'],
    ['{"listener_filters_timeout":5}', 'listener_filters_timeout: expected a duration such as 0.25s, got 5'],
    ['{"listener_filters_timeout":"5ms"}', 'listener_filters_timeout: expected a duration such as 0.25s, got "5ms"'],
    ['{"tcp_backlog_size":-1}', 'tcp_backlog_size: expected a whole number from 0 to 4294967295, got -1'],
    ['{"tcp_backlog_size":1.5}', 'tcp_backlog_size: expected a whole number from 0 to 4294967295, got 1.5'],
    ['{"metadata":{"filter_metadata":{"a":1}}}', 'metadata.filter_metadata.a: expected an object, got 1'],
    ['{"metadata":{"filter_metadata":[]}}', 'metadata.filter_metadata: expected a map, got []'],
    [any('{}'), `${place}: expected an object with @type, got {}`],
    [any('{"@type":"type.googleapis.com/x.Y"}'), `${place}: unknown message type x.Y; name it in proto/roots.txt`],
    [any('{"@type":"type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy","clutser":"a"}'), `${place}.clutser: `],
  ];
  for (const [json, expected] of cases)
    assert.ok(problem('envoy.config.listener.v3.Listener', json).startsWith(expected), `${json}: ${problem('envoy.config.listener.v3.Listener', json)}`);
});

test('two members of a oneof are an error, whatever their order', () => {
  const routes = (match: string) => `{"virtual_hosts":[{"routes":[{"match":${match}}]}]}`;
  const first = problem('envoy.config.route.v3.RouteConfiguration', routes('{"path":"/a","prefix":"/"}'));
  assert.equal(first, 'virtual_hosts[0].routes[0].match.prefix: path is set as well, and only one of path_specifier may be');
  const second = problem('envoy.config.route.v3.RouteConfiguration', routes('{"prefix":"/","path":"/a"}'));
  assert.equal(second, 'virtual_hosts[0].routes[0].match.path: prefix is set as well, and only one of path_specifier may be');
});

test('the bytes are those of protobuf', () => {
  const bytes = encode('envoy.config.core.v3.SocketAddress', { port_value: 300, address: '::1' });
  assert.equal(bytes.toString('hex'), '12033a3a3118ac02');
  assert.equal(encode('envoy.config.cluster.v3.Cluster', { connect_timeout: '1.5s' }).toString('hex'), '220808011080cab5ee01');
});

test('keys and fields are written in one order, whatever the order of the source', () => {
  const one = encode('envoy.config.core.v3.Node', { id: 'a', metadata: { x: 1, y: { b: 2, a: [1, null] } }, cluster: 'c' });
  const two = encode('envoy.config.core.v3.Node', { cluster: 'c', metadata: { y: { a: [1, null], b: 2 }, x: 1 }, id: 'a' });
  assert.deepEqual(one, two);
});

test('messages nest in Anys, and well-known types stand in value', () => {
  const inner = typed('envoy.extensions.upstreams.http.v3.HttpProtocolOptions', { explicit_http_config: { http2_protocol_options: {} } });
  const outer: Any = typed('envoy.config.cluster.v3.Cluster', { name: 'a', typed_extension_protocol_options: { x: inner } });
  const examples: readonly Any[] = [
    outer,
    { '@type': 'type.googleapis.com/google.protobuf.Struct', value: { a: [1, 'b', { c: true }] } },
    { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: 'text' },
    { '@type': 'type.googleapis.com/google.protobuf.Any', value: outer },
  ];
  for (const example of examples) {
    const bytes = encode('envoy.config.core.v3.TypedExtensionConfig', { typed_config: example });
    assert.deepEqual(plain(decode('envoy.config.core.v3.TypedExtensionConfig', bytes).typed_config), example);
  }
  assert.throws(() => encodeAny({ '@type': 'type.googleapis.com/google.protobuf.StringValue', text: 'x' }), /expected a string/);
});

/** Without the missing prototypes that the decoder gives its objects. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** A message's name and a generator of values whose JSON form is unique, so that decoding gives back the very value. */
function roundTrip<Name extends MessageName>(name: Name, value: fc.Arbitrary<Message<Name>>): void {
  const present = (message: unknown) => JSON.parse(JSON.stringify(message));
  fc.assert(fc.property(value, (message) => assert.deepEqual(plain(decode(name, encode(name, message))), present(message))));
}

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const optional = { requiredKeys: [] };
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const fraction = (nanos: number) => (nanos === 0 ? '' : `.${String(nanos).padStart(9, '0').replace(/0+$/, '')}`);
const isDuration = (value: string): value is Duration => value.endsWith('s');
const duration = fc
  .tuple(fc.boolean(), fc.nat(315_576_000_000), fc.nat(999_999_999))
  .map(([negative, seconds, nanos]) => `${negative && seconds + nanos > 0 ? '-' : ''}${seconds}${fraction(nanos)}s`)
  .filter(isDuration);
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const percent = fc.record({ numerator: uint32, denominator: fc.constantFrom('HUNDRED' as const, 'MILLION' as const) }, optional);

test('what is encoded is decoded to the same value', () => {
  const list = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: 1, maxLength: 4 });
  const retryPolicy = fc.record(
    { retry_on: text, num_retries: uint32, per_try_timeout: duration, host_selection_retry_max_attempts: int64, retriable_status_codes: list(uint32) },
    optional,
  );
  roundTrip('envoy.config.route.v3.RetryPolicy', retryPolicy);
  const json: fc.Arbitrary<Json> = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)));
  const labels = fc.dictionary(
    text.filter((key) => key !== '__proto__'),
    json,
    { minKeys: 1, maxKeys: 4, noNullPrototype: true },
  );
  roundTrip('envoy.config.core.v3.Node', fc.record({ id: text, metadata: labels, locality: fc.record({ zone: text }, optional) }, optional));
  const endpoint = fc.record({ health_status: fc.constantFrom('HEALTHY' as const, 'DRAINING' as const), load_balancing_weight: uint32 }, optional);
  const policy = fc.record(
    { overprovisioning_factor: uint32, drop_overloads: list(fc.record({ category: text, drop_percentage: percent }, optional)) },
    optional,
  );
  roundTrip(
    'envoy.config.endpoint.v3.ClusterLoadAssignment',
    fc.record({ cluster_name: text, policy, endpoints: list(fc.record({ priority: uint32, lb_endpoints: list(endpoint) }, optional)) }, optional),
  );
});

test('a number of 64 bits is exact, and one that does not fit is an error', () => {
  const name = 'envoy.config.bootstrap.v3.Bootstrap';
  for (const exact of ['18446744073709551615', '9007199254740993', '0']) {
    assert.equal(decode(name, encode(name, { stats_server_version_override: exact })).stats_server_version_override, exact);
  }
  for (const wrong of ['18446744073709551616', '-1', '1.5', 2 ** 60, 'x']) {
    assert.throws(
      () => encode(name, { stats_server_version_override: wrong }),
      /stats_server_version_override: expected a whole number from 0 to 18446744073709551615/,
    );
  }
});

test('bytes that are no message give an Error or a message, and never anything else', () => {
  const names = ['envoy.service.discovery.v3.DeltaDiscoveryRequest', 'envoy.config.listener.v3.Listener', 'envoy.config.core.v3.Node'] as const;
  const valid = encode('envoy.config.core.v3.Node', { id: 'a', metadata: { labels: { app: 'web' } }, locality: { zone: 'z' } });
  const damaged = fc.tuple(fc.nat(valid.length - 1), fc.nat(255)).map(([at, byte]) => Uint8Array.from(valid, (old, index) => (index === at ? byte : old)));
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 64 }), damaged);
  fc.assert(
    fc.property(fc.constantFrom(...names), bytes, (name, garbage) => {
      try {
        assert.equal(typeof decode(name, garbage), 'object');
      } catch (error) {
        assert.ok(error instanceof Error);
        assert.ok(!(error instanceof TypeError), error.stack);
      }
    }),
    { numRuns: 2000 },
  );
});

test('a message cut short is an error', () => {
  const bytes = encode('envoy.config.core.v3.Node', { id: 'some name' });
  for (let length = 1; length < bytes.length; length++) assert.throws(() => decode('envoy.config.core.v3.Node', bytes.subarray(0, length)), Error);
});

test('nesting without end is refused before the stack is exhausted', () => {
  const nested = (levels: number, wrap: (inner: Buffer) => Buffer) => Array.from({ length: levels }).reduce((inner: Buffer) => wrap(inner), Buffer.alloc(0));
  const field = (id: number, inner: Buffer) => Buffer.concat([Buffer.from([(id << 3) | 2]), varint(inner.length), inner]);
  const structs = nested(5000, (inner) => field(5, field(1, field(2, inner))));
  assert.throws(() => decode('envoy.config.core.v3.Node', field(3, field(1, field(2, structs)))), /deeper than/);
  const matches = nested(5000, (inner) => field(1, field(1, inner)));
  assert.throws(() => decode('envoy.config.rbac.v3.Permission', matches), /deeper than/);
});

function varint(value: number): Buffer {
  return value < 0x80 ? Buffer.from([value]) : Buffer.concat([Buffer.from([(value & 0x7f) | 0x80]), varint(value >>> 7)]);
}

test('a field that this table does not know is passed over', () => {
  const bytes = Buffer.concat([encode('envoy.config.core.v3.Node', { id: 'a' }), Buffer.from([0xfa, 0x3f, 0x01, 0x00])]);
  assert.deepEqual(plain(decode('envoy.config.core.v3.Node', bytes)), { id: 'a' });
});
