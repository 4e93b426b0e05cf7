/** Nothing that an operator does in the ordinary course of things fails a request. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { requestsTo } from './harness/envoy-stats.js';
import { apply, kubectl, rolledOut } from './harness/kubectl.js';
import { canary, startLoadWorld, webDeployment } from './harness/load-world.js';
import { deploymentReady, upgrade, weftNamespace } from './harness/release.js';
import { story } from './harness/story.js';
import { until } from './harness/until.js';

const namespace = 'weft-test-load';
const components = ['weft-controller', 'weft-injector'];

const inWeft = (...args: readonly string[]) => kubectl(['-n', weftNamespace, ...args]);

async function restart(inNamespace: string, name: string): Promise<void> {
  await kubectl(['-n', inNamespace, 'rollout', 'restart', `deployment/${name}`]);
  await rolledOut(inNamespace, `deployment/${name}`);
}

/** Resolves once no pod of the application is on its way out. */
async function settled(): Promise<void> {
  await until('the old pods are gone', async () => !(await kubectl(['-n', namespace, 'get', 'pods', '--no-headers'])).includes('Terminating'), {
    timeoutMs: 90_000,
  });
}

story('no request fails at a steady load', [namespace], async (t) => {
  const load = await startLoadWorld(t, namespace);

  for (const turn of ['first', 'second', 'third']) {
    await t.test(`while the application is rolled for the ${turn} time`, async () => {
      await load.unharmed(`application rolled, ${turn} time`, async () => {
        await Promise.all(['web-v1', 'reviews'].map((name) => restart(namespace, name)));
        await settled();
      });
    });
  }

  await t.test('while the control plane is rolled', async () => {
    await load.unharmed('control plane rolled', async () => {
      for (const name of components) await restart(weftNamespace, name);
    });
  });

  await t.test('while the control plane is scaled to one replica, to three, and to one', async () => {
    await load.unharmed('control plane scaled 1-3-1', async () => {
      for (const replicas of [1, 3, 1]) {
        await inWeft('scale', ...components.map((name) => `deployment/${name}`), `--replicas=${replicas}`);
        for (const name of components) await deploymentReady(name, replicas);
      }
    });
    await inWeft('scale', ...components.map((name) => `deployment/${name}`), '--replicas=2');
    for (const name of components) await deploymentReady(name, 2);
  });

  await t.test('while every pod of the control plane is killed at once', async () => {
    await load.unharmed('control plane killed', async () => {
      await inWeft('delete', 'pods', '--all', '--force', '--grace-period=0');
      for (const name of components) await deploymentReady(name, 2);
    });
  });

  await t.test('while the chart is upgraded', async () => {
    await load.unharmed('chart upgraded', async () => {
      await upgrade(['controller.podAnnotations.upgraded=yes', 'injector.podAnnotations.upgraded=yes']);
      for (const name of components) await deploymentReady(name, 2);
    });
  });

  await t.test('while a canary goes from 10 to 100 percent in ten steps', async () => {
    await apply([canary(namespace, 0)]);
    await apply([webDeployment(namespace, 'v2', 2)]);
    await rolledOut(namespace, 'deployment/web-v2');
    const shares: string[] = [];
    await load.unharmed('canary moved from 10 to 100 percent', async () => {
      for (let percent = 10; percent <= 100; percent += 10) {
        await apply([canary(namespace, percent)]);
        shares.push(`${percent}:${await shareOfV2(percent)}`);
      }
    });
    process.stdout.write(`# percent of answers from the canary, wanted:seen: ${shares.join(' ')}\n`);
  });

  await t.test('and all of it went through the sidecars', async () => {
    const { sent } = await load.count();
    const before = await requestsTo(namespace, 'load', 'web', 80);
    await until('further requests', async () => (await requestsTo(namespace, 'load', 'web', 80)) > before + 100);
    assert.ok(before > sent, `${before} requests by the statistics of the sidecar`);
  });

  /** Counts until the answers look as they should; what comes just after a change still belongs to the one before. */
  async function shareOfV2(wanted: number): Promise<number> {
    return until(`${wanted} percent of the answers are from v2`, async () => {
      await pause(3000);
      const { versions, failures } = await load.count();
      assert.deepEqual(failures, {});
      const share = (100 * (versions['v2'] ?? 0)) / ((versions['v1'] ?? 0) + (versions['v2'] ?? 0));
      return Math.abs(share - wanted) < (wanted === 100 ? 0.001 : 15) && Math.max(1, Math.round(share));
    });
  }
});
