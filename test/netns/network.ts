/** A network of its own for a test: namespaces on a bridge, each with a process inside. Everything is gone afterwards, also after a failure. */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type RedirectOptions, redirectRules } from '../../src/inject/redirect.js';
import type { Cleanup } from '../support/envoy.js';
import type { actions } from './actions.js';

type Actions = typeof actions;

/** A namespace with addresses on the bridge. */
export interface NetworkPod {
  readonly netns: string;
  readonly address: string;
  readonly address6: string;
  /** Has the process inside do something. Rejects with what it threw. */
  readonly run: <Name extends keyof Actions>(action: Name, argument: Parameters<Actions[Name]>[0]) => Promise<Awaited<ReturnType<Actions[Name]>>>;
}

/** The network. */
export interface Network {
  /** The namespace with the bridge, at 10.99.0.1; the way to everywhere else, which is 203.0.113.1 and 2001:db8::1. */
  readonly gateway: NetworkPod;
  /** Adds a namespace. `redirect` captures its traffic. */
  readonly pod: (name: string, address: string, redirect?: RedirectOptions) => Promise<NetworkPod>;
}

const execute = promisify(execFile);
const ip = (...args: readonly string[]) => execute('ip', [...args]);

/** An address that is in no range of the mesh. */
export const externalAddress = '203.0.113.1';
/** Another such address. */
export const excludedAddress = '198.51.100.1';
/** The first one's like in IPv6. */
export const externalAddress6 = '2001:db8::1';

let networks = 0;

/** Makes a network without pods. */
export async function createNetwork(t: Cleanup): Promise<Network> {
  await sweep();
  const prefix = `weft-${process.pid}-${networks++}`;
  const netns = `${prefix}-net`;
  await addNamespace(t, netns);
  await ip('-n', netns, 'link', 'add', 'br0', 'type', 'bridge');
  await ip('-n', netns, 'addr', 'add', '10.99.0.1/16', 'dev', 'br0');
  await ip('-n', netns, 'addr', 'add', `${externalAddress}/32`, 'dev', 'br0');
  await ip('-n', netns, 'addr', 'add', `${excludedAddress}/32`, 'dev', 'br0');
  await ip('-n', netns, 'addr', 'add', `${toV6('10.99.0.1')}/64`, 'dev', 'br0', 'nodad');
  await ip('-n', netns, 'addr', 'add', `${externalAddress6}/128`, 'dev', 'br0', 'nodad');
  await ip('-n', netns, 'link', 'set', 'br0', 'up');
  const gateway = { netns, address: '10.99.0.1', address6: toV6('10.99.0.1'), run: startAgent(t, netns) };
  return {
    gateway,
    pod: async (name, address, redirect) => {
      const own = `${prefix}-${name}`;
      await addNamespace(t, own);
      await ip('-n', netns, 'link', 'add', `v${name}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', own);
      await ip('-n', netns, 'link', 'set', `v${name}`, 'master', 'br0', 'up');
      const address6 = toV6(address);
      await ip('-n', own, 'addr', 'add', `${address}/16`, 'dev', 'eth0');
      await ip('-n', own, 'addr', 'add', `${address6}/64`, 'dev', 'eth0', 'nodad');
      await ip('-n', own, 'link', 'set', 'eth0', 'up');
      await ip('-n', own, 'route', 'add', 'default', 'via', '10.99.0.1');
      await ip('-n', own, 'route', 'add', 'default', 'via', toV6('10.99.0.1'));
      if (redirect) await capture(own, redirect);
      return { netns: own, address, address6, run: startAgent(t, own) };
    },
  };
}

/** Removes what processes have left behind that were killed outright. */
async function sweep(): Promise<void> {
  const { stdout } = await ip('netns', 'list');
  const left = stdout.split('\n').flatMap((line) => {
    const [name, pid] = /^weft-(\d+)-\d+-\S+/.exec(line) ?? [];
    return name && !existsSync(`/proc/${pid}`) ? [name] : [];
  });
  await Promise.all(left.map((name) => ip('netns', 'delete', name)));
}

async function addNamespace(t: Cleanup, netns: string): Promise<void> {
  await ip('netns', 'add', netns);
  t.after(() => ip('netns', 'delete', netns).then(() => undefined));
  await ip('-n', netns, 'link', 'set', 'lo', 'up');
}

/** `10.99.1.2` has `fd99::1:2` beside it. */
function toV6(address: string): string {
  return `fd99::${address.split('.').slice(2).join(':')}`;
}

/** As the init container does it; twice, since that must not matter. */
async function capture(netns: string, redirect: RedirectOptions): Promise<void> {
  await ip('-n', netns, 'addr', 'add', '::6/128', 'dev', 'lo', 'nodad');
  for (let time = 0; time < 2; time++) {
    await restore(netns, 'iptables-restore', redirectRules(redirect, 'IPv4'));
    await restore(netns, 'ip6tables-restore', redirectRules(redirect, 'IPv6'));
  }
}

async function restore(netns: string, command: string, rules: string): Promise<void> {
  const running = execute('ip', ['netns', 'exec', netns, command, '--wait', '--noflush']);
  running.child.stdin?.end(rules);
  await running;
}

const agent = fileURLToPath(new URL('./agent.js', import.meta.url));

function startAgent(t: Cleanup, netns: string): NetworkPod['run'] {
  const child = spawn('ip', ['netns', 'exec', netns, process.execPath, agent], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  t.after(() => {
    child.kill('SIGKILL');
    return gone;
  });
  const waiting = new Map<number, (line: string) => void>();
  createInterface(child.stdout).on('line', (line) => waiting.get(JSON.parse(line).id)?.(line));
  let last = 0;
  return (action, argument) =>
    new Promise((resolve, reject) => {
      const id = ++last;
      waiting.set(id, (line) => {
        waiting.delete(id);
        const { result, error } = JSON.parse(line);
        if (error === undefined) resolve(result);
        else reject(new Error(`${action}: ${error}`));
      });
      child.stdin.write(`${JSON.stringify({ id, action, argument })}\n`);
    });
}
