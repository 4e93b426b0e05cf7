import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redirectRules } from './redirect.js';

test('everything but what Envoy itself does is captured', () => {
  assert.equal(
    redirectRules(),
    [
      '*nat',
      ':WEFT_IN - [0:0]',
      ':WEFT_OUT - [0:0]',
      '-A PREROUTING -p tcp -j WEFT_IN',
      '-A OUTPUT -p tcp -j WEFT_OUT',
      '-A WEFT_IN -p tcp --dport 15008 -j RETURN',
      '-A WEFT_IN -p tcp --dport 15021 -j RETURN',
      '-A WEFT_IN -p tcp -j REDIRECT --to-ports 15006',
      '-A WEFT_OUT -s 127.0.0.6/32 -o lo -j RETURN',
      '-A WEFT_OUT ! -d 127.0.0.1/32 -o lo -m owner --uid-owner 1337 -j WEFT_IN',
      '-A WEFT_OUT -o lo -j RETURN',
      '-A WEFT_OUT -m owner --uid-owner 1337 -j RETURN',
      '-A WEFT_OUT -p tcp -j REDIRECT --to-ports 15001',
      'COMMIT',
      '',
    ].join('\n'),
  );
});

test('what is excluded comes before what is captured', () => {
  const lines = redirectRules({ proxyUid: 2000, excludeInboundPorts: [9000], excludeOutboundPorts: [25], excludeOutboundCidrs: ['169.254.169.254/32'] }).split(
    '\n',
  );
  const at = (line: string) => {
    assert.ok(lines.includes(line), line);
    return lines.indexOf(line);
  };
  assert.ok(at('-A WEFT_IN -p tcp --dport 9000 -j RETURN') < at('-A WEFT_IN -p tcp -j REDIRECT --to-ports 15006'));
  assert.ok(at('-A WEFT_OUT -p tcp --dport 25 -j RETURN') < at('-A WEFT_OUT -p tcp -j REDIRECT --to-ports 15001'));
  assert.ok(at('-A WEFT_OUT -d 169.254.169.254/32 -j RETURN') < at('-A WEFT_OUT -p tcp -j REDIRECT --to-ports 15001'));
  assert.ok(at('-A WEFT_OUT -m owner --uid-owner 2000 -j RETURN') > 0);
});

test('nothing but ports, ranges and a uid gets into a text that root runs', () => {
  for (const port of [0, 65_536, 1.5, Number.NaN]) {
    assert.throws(() => redirectRules({ excludeInboundPorts: [port] }), /is not a port/);
    assert.throws(() => redirectRules({ excludeOutboundPorts: [port] }), /is not a port/);
  }
  for (const cidr of [
    '10.0.0.0',
    '10.0.0.0/33',
    'fd00::/129',
    '::ffff:/8',
    '10.0.0.0/8 -j ACCEPT',
    '10.0.0.0/8\n-A OUTPUT',
    '10.0.0.0/8/9',
    'fe80::1%eth0/64',
  ]) {
    for (const family of ['IPv4', 'IPv6'] as const) assert.throws(() => redirectRules({ excludeOutboundCidrs: [cidr] }, family), /is not a range of addresses/);
  }
  for (const proxyUid of [0, -1, 1.5, Number.NaN]) assert.throws(() => redirectRules({ proxyUid }), /cannot be the user of Envoy/);
});

test('IPv6 has the same rules with addresses of its own, and each family the ranges that are its', () => {
  const options = { excludeOutboundPorts: [25], excludeOutboundCidrs: ['fd00::/8', '10.0.0.0/8'] };
  const asIpv6 = redirectRules(options).replace('127.0.0.6/32', '::6/128').replace('127.0.0.1/32', '::1/128').replace('10.0.0.0/8', 'fd00::/8');
  assert.equal(redirectRules(options, 'IPv6'), asIpv6);
});
