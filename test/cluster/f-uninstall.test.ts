/** `helm uninstall` leaves nothing behind, and breaks nothing that runs. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { seen } from './harness/calls.js';
import { apply, field, kubectl, rolledOut } from './harness/kubectl.js';
import { revision, startLoadWorld } from './harness/load-world.js';
import { onNode } from './harness/node.js';
import { ensureInstalled, uninstall } from './harness/release.js';
import { story } from './harness/story.js';
import { until } from './harness/until.js';

const namespace = 'weft-test-uninstall';

story('uninstalling leaves no trace', [namespace], async (t) => {
  await ensureInstalled();
  const load = await startLoadWorld(t, namespace);
  await apply([revision(namespace, 'last')]);
  await until('a ConfigMap with the trust of the sidecars', () => field(namespace, 'configmap/weft-ca', '{.data}'));
  assert.notDeepEqual(await traces(), [], 'this is how traces are found');

  await t.test('while running pods go on', async () => {
    await load.unharmed('uninstalled', uninstall);
  });

  await t.test('no object is left', async () => {
    const left = await until('nothing is left', async () => {
      const found = await traces();
      return found.length === 0 ? ['nothing'] : Promise.reject(new Error(found.join('\n')));
    });
    assert.deepEqual(left, ['nothing']);
  });

  await t.test('and no rule on the node', async () => {
    assert.doesNotMatch(await onNode('iptables-save; ip6tables-save; nft list ruleset 2>/dev/null || true'), /weft_/i);
  });

  await t.test('running pods still go on', async () => {
    await load.unharmed('without a control plane for 10 s', () => pause(10_000));
  });

  await t.test('restarted pods run without the mesh', async () => {
    await kubectl(['-n', namespace, 'rollout', 'restart', 'deployment/web-v1']);
    await rolledOut(namespace, 'deployment/web-v1');
    await until('the meshed pods are gone', async () => !(await initContainers('app=web')).includes('weft'), { timeoutMs: 90_000 });
    const peer = (await seen({ namespace, pod: 'deploy/web-v1' }, 'http://web/')).peer;
    assert.notEqual(peer, '127.0.0.6');
  });

  /** The names of the init containers of pods. */
  function initContainers(selector: string): Promise<string> {
    return kubectl(['-n', namespace, 'get', 'pods', '-l', selector, '-o', 'jsonpath={.items[*].spec.initContainers[*].name}']);
  }
});

/** Every object of the cluster, of whatever kind, that is Weft's by its name, its group or its labels; not what the tests have made, nor events, which go by themselves. */
async function traces(): Promise<readonly string[]> {
  const kinds = (await kubectl(['api-resources', '--verbs=list', '-o', 'name'])).split('\n').filter((kind) => kind && !kind.startsWith('events'));
  const template = '{{range .items}}{{.kind}} {{.metadata.namespace}} {{.metadata.name}} {{.metadata.labels}}{{"\\n"}}{{end}}';
  const text = await kubectl(['get', kinds.join(','), '-A', '-o', `go-template=${template}`], { timeoutMs: 100_000 });
  return text.split('\n').filter(isTrace);
}

/** Nodes, and the Leases that are named after them, are not Weft's whatever they are called. */
function isTrace(line: string): boolean {
  const [kind = '', home = '', name = ''] = line.split(' ');
  if (['Node', 'CSINode'].includes(kind) || home === 'kube-node-lease') return false;
  if (home.startsWith('weft-test-') || name.startsWith('weft-test-')) return name === 'weft-ca' || ['TrafficPolicy', 'Mesh'].includes(kind);
  return /^weft|\.weft\.dev$/.test(name) || /^weft-system$/.test(home) || line.includes('app.kubernetes.io/part-of:weft');
}
