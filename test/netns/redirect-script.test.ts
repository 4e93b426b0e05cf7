import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { redirectRules } from '../../src/inject/redirect.js';
import type { Cleanup } from '../support/envoy.js';

const execute = promisify(execFile);
const script = fileURLToPath(new URL('../../../images/init/redirect.sh', import.meta.url));
const options = { excludeOutboundPorts: [25], excludeOutboundCidrs: ['10.0.0.0/8', 'fd00::/8'] };
const rules = { WEFT_RULES_IPV4: redirectRules(options, 'IPv4'), WEFT_RULES_IPV6: redirectRules(options, 'IPv6') };

let namespaces = 0;

/** A network namespace with the addresses on a device of its own, and what runs a command in it. */
async function network(t: Cleanup, addresses: readonly string[]) {
  const name = `weft-${process.pid}-script-${namespaces++}`;
  await execute('ip', ['netns', 'add', name]);
  t.after(async () => void (await execute('ip', ['netns', 'delete', name])));
  const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    execute('ip', ['netns', 'exec', name, ...args], { env: { PATH: process.env['PATH'], ...env } });
  await run(['ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1']);
  for (const device of ['lo', 'eth0', 'eth1']) await run(['ip', 'link', 'set', device, 'up']);
  for (const address of addresses) await run(['ip', 'address', 'add', address, 'dev', 'eth0']);
  return run;
}

/** The rules of a table as the kernel has them, without what iptables always adds to one that matches a port. */
async function kernelRules(run: Awaited<ReturnType<typeof network>>, command: 'iptables' | 'ip6tables'): Promise<readonly string[]> {
  const { stdout } = await run([command, '-t', 'nat', '-S']);
  return stdout
    .replaceAll(' -m tcp', '')
    .split('\n')
    .filter((line) => line.startsWith('-A'));
}

const wanted = (text: string) => text.split('\n').filter((line) => line.startsWith('-A'));

test('the script of the init container sets the rules of both families, once however often it runs', async (t) => {
  const run = await network(t, ['192.0.2.1/24', '2001:db8::1/64']);
  for (let time = 0; time < 3; time++) {
    await run([script], rules);
    assert.deepEqual([...(await kernelRules(run, 'iptables'))].sort(), [...wanted(rules.WEFT_RULES_IPV4)].sort());
    assert.deepEqual([...(await kernelRules(run, 'ip6tables'))].sort(), [...wanted(rules.WEFT_RULES_IPV6)].sort());
  }
  assert.match((await run(['ip', '-6', 'address', 'show', 'dev', 'lo'])).stdout, /inet6 ::6\/128/);
});

test('a second run with other rules replaces the first', async (t) => {
  const run = await network(t, ['192.0.2.1/24']);
  await run([script], rules);
  const other = redirectRules({ excludeInboundPorts: [9000] });
  await run([script], { ...rules, WEFT_RULES_IPV4: other });
  assert.deepEqual([...(await kernelRules(run, 'iptables'))].sort(), [...wanted(other)].sort());
});

test('a pod without an IPv6 address of its own is given no rules for IPv6', async (t) => {
  const run = await network(t, ['192.0.2.1/24']);
  await run([script], rules);
  assert.equal((await kernelRules(run, 'iptables')).length, wanted(rules.WEFT_RULES_IPV4).length);
  assert.deepEqual(await kernelRules(run, 'ip6tables'), []);
});

test('it says what is missing', async (t) => {
  const run = await network(t, ['192.0.2.1/24']);
  const withoutNetAdmin = ['setpriv', '--bounding-set=-net_admin', '--inh-caps=-net_admin', script];
  await assert.rejects(run(withoutNetAdmin, rules), /the capability NET_ADMIN is missing.*weft\.dev\/inject: "false"/);
  await assert.rejects(run([script]), /WEFT_RULES_IPV4 is empty/);
  await assert.rejects(run([script], { WEFT_RULES_IPV4: '*nat\n-A NOWHERE -j ACCEPT\nCOMMIT\n' }), /weft-init: iptables-restore refuses the rules/);
  assert.deepEqual(await kernelRules(run, 'iptables'), []);
});
