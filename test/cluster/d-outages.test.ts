/** What the mesh serves outlives the failures of the cluster around it, and what was changed meanwhile arrives after. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { Cleanup } from '../support/envoy.js';
import { attempt, type Caller } from './harness/calls.js';
import { run } from './harness/command.js';
import { apply, exec, field, kubectl, podsOf, waitFor } from './harness/kubectl.js';
import { revised, startLoadWorld } from './harness/load-world.js';
import { compactEtcd, cut, heal, onNode, signal } from './harness/node.js';
import { deploymentReady, weftNamespace } from './harness/release.js';
import { story } from './harness/story.js';
import { deltaMethod, trustedPod, virtualHostType } from './harness/strangers.js';
import { until } from './harness/until.js';

const namespace = 'weft-test-outage';
const outageMs = 60_000;

story('what is served stays while the cluster fails, and what was changed meanwhile arrives', [namespace], async (t) => {
  const load = await startLoadWorld(t, namespace);
  await apply([trustedPod(namespace, 'observer')]);
  await waitFor(namespace, 'pod/observer', 'condition=Ready');
  const observer = { namespace, pod: 'observer' };
  await revised(load, namespace, 'before');

  await t.test('the API server is killed', async () => {
    await load.unharmed('API server killed', async () => {
      await signal('kube-apiserver', 'KILL');
      await apiServerBack();
      await revised(load, namespace, 'after the kill');
    });
  });

  await t.test('the API server stands still for a minute', async () => {
    await load.unharmed('API server stopped for 60 s', async () => {
      await stopApiServer(outageMs);
      await apiServerBack();
      await revised(load, namespace, 'after the stop');
    });
  });

  await t.test('one replica is cut off, etcd is compacted meanwhile, and the API server forgets', async (t) => {
    const replicas = await podsOf(weftNamespace, 'app.kubernetes.io/component=controller');
    const victim = await replicaOf(`${namespace}/load`);
    const other = replicas.find((name) => name !== victim) ?? assert.fail(`${replicas}`);
    const [lost, alive] = await Promise.all([addressOf(victim), addressOf(other)]);
    await load.unharmed('one replica of the control plane cut off for 60 s, etcd compacted', async () => {
      await cutFor(t, lost, async () => {
        const begin = performance.now();
        await revised(load, namespace, 'during the cut');
        await compactEtcd();
        await signal('kube-apiserver', 'KILL');
        await apiServerBack();
        await pause(outageMs - (performance.now() - begin));
      });
      await until('the replica that was cut off serves what the other one does', async () => {
        const [first, second] = await Promise.all([lost, alive].map((address) => virtualHost(observer, address)));
        return first !== undefined && second !== undefined && first.text.includes('during the cut') && first.version === second.version;
      });
      await revised(load, namespace, 'after the cut');
    });
    await deploymentReady('weft-controller', 2);
  });
});

/**
 * The controller manager stands still with it, and is started anew once the node has reported: else it would find that the node has
 * not done so for a minute, and take all its pods, those of DNS too, out of their Services. That would be a failure of the cluster,
 * not of the mesh.
 */
async function stopApiServer(ms: number): Promise<void> {
  await signal('kube-controller-manager', 'STOP');
  try {
    const before = await lastReport();
    await signal('kube-apiserver', 'STOP');
    await pause(ms).finally(() => signal('kube-apiserver', 'CONT'));
    await until('the node has reported', async () => (await lastReport()) !== before);
  } finally {
    await signal('kube-controller-manager', 'KILL');
  }
}

/** When the node last said that it is well. */
function lastReport(): Promise<string> {
  return kubectl(['-n', 'kube-node-lease', 'get', 'leases', '-o', 'jsonpath={.items[0].spec.renewTime}'], { timeoutMs: 5000 });
}

async function apiServerBack(): Promise<void> {
  await until('the API server answers', async () => (await kubectl(['get', '--raw', '/readyz'], { timeoutMs: 5000 })) === 'ok', { timeoutMs: 120_000 });
}

function addressOf(pod: string): Promise<string> {
  return field(weftNamespace, `pod/${pod}`, '{.status.podIP}');
}

/** The replica of the control plane that a proxy is connected to, as `weft status` tells. */
async function replicaOf(proxy: string): Promise<string> {
  const status: { readonly proxies: readonly { readonly proxy: string; readonly replica: string }[] } = JSON.parse(
    await run(process.execPath, ['dist/src/main.js', 'status', '-o', 'json']),
  );
  return status.proxies.find((row) => row.proxy === proxy)?.replica ?? assert.fail(`weft status does not know ${proxy}`);
}

/** Cuts an address off while something is done; heals the network whatever becomes of that. */
async function cutFor(t: Cleanup, address: string, act: () => Promise<void>): Promise<void> {
  t.after(() => heal(address));
  await cut(address);
  const established = await onNode(`iptables -w -t raw -S PREROUTING`);
  assert.ok(established.includes(address), 'the rule is there');
  await act();
  await heal(address);
}

/** The virtual host of the web application as the replica at this address serves it to a proxy. */
async function virtualHost({ namespace: home, pod }: Caller, address: string): Promise<{ readonly version: string; readonly text: string } | undefined> {
  const token = await exec(home, pod, ['cat', '/var/run/weft/token']);
  const serviceAddress = await field(home, 'service/web', '{.spec.clusterIP}');
  const name = `out/${serviceAddress}:80`;
  const [outcome] = await attempt({ namespace: home, pod }, [
    { address: `${address}:15010`, method: deltaMethod, authorization: `Bearer ${token}`, nodeId: `${home}/${pod}`, names: [name], typeUrl: virtualHostType },
  ]);
  const version = outcome?.versions[name];
  return outcome && version ? { version, text: outcome.text } : undefined;
}
