/** A pod attacks the ports of the control plane: calls between meshed pods do not notice, and changes go on arriving. */
import assert from 'node:assert/strict';
import type { Flood } from './apps/flood.js';
import { apply, exec, kubectl, waitFor } from './harness/kubectl.js';
import { revised, startLoadWorld } from './harness/load-world.js';
import { pod } from './harness/manifests.js';
import { megabytes, memoryOf } from './harness/memory.js';
import { weftNamespace } from './harness/release.js';
import { story } from './harness/story.js';

const namespace = 'weft-test-floods';

const victims: Readonly<Record<string, Omit<Flood, 'seconds'>>> = {
  xDS: { host: `weft-controller.${weftNamespace}`, port: 15_010, by: 'Frames' },
  'the webhook that validates policies': { host: `weft-controller.${weftNamespace}`, port: 443, by: 'Bodies' },
  'the webhook that injects': { host: `weft-injector.${weftNamespace}`, port: 443, by: 'Bodies' },
};

const restarts = () =>
  kubectl(['-n', weftNamespace, 'get', 'pods', '-o', 'jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses[*].restartCount}{"\\n"}{end}']);

story('no request fails while a pod floods the control plane', [namespace], async (t) => {
  const load = await startLoadWorld(t, namespace);
  await apply([pod(namespace, { name: 'attacker', args: ['idle'], isMeshed: false })]);
  await waitFor(namespace, 'pod/attacker', 'condition=Ready');
  await revised(load, namespace, 'before');
  const [before, started] = [await memory(), await restarts()];
  for (const [name, victim] of Object.entries(victims)) {
    await t.test(name, async () => {
      await load.unharmed(`${name} flooded for 15 s`, async () => {
        const flood = exec(namespace, 'attacker', ['app', 'flood', JSON.stringify({ ...victim, seconds: 15 } satisfies Flood)]);
        await revised(load, namespace, `under a flood of ${name}`);
        const played: Readonly<Record<string, number>> = JSON.parse(await flood);
        assert.ok(
          Object.values(played).every((count) => count > 0),
          JSON.stringify(played),
        );
      });
      await revised(load, namespace, `after a flood of ${name}`);
    });
  }
  assert.equal(await restarts(), started, 'nothing was restarted');
  const after = await memory();
  process.stdout.write(`# memory of controllers and injectors: before ${before.map(megabytes).join(', ')}, after ${after.map(megabytes).join(', ')}\n`);
  for (const [index, bytes] of after.entries()) assert.ok(bytes < (before[index] ?? 0) + 64e6, `${megabytes(bytes)}`);
});

async function memory(): Promise<readonly number[]> {
  return [...(await memoryOf('controller')), ...(await memoryOf('injector'))];
}
