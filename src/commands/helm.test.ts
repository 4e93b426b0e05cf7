import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findChart, type InstallFlags, installArguments, releaseOf, runHelm, uninstallArguments } from './helm.js';

const flags: InstallFlags = { release: 'weft', namespace: 'weft-system', timeout: '5m', print: false, output: 'text' };

test('installing upgrades what is there, makes the namespace and waits', () => {
  const args = installArguments({ ...flags, kubeconfig: 'k', context: 'c', set: ['a=1', 'b=2'], values: ['f.yaml'] }, 'charts/weft');
  const expected = 'upgrade weft charts/weft --install --create-namespace --wait --timeout 5m --namespace weft-system --kubeconfig k --kube-context c';
  assert.deepEqual(args, [...expected.split(' '), '--values', 'f.yaml', '--set', 'a=1', '--set', 'b=2']);
});

test('printing renders the chart with the same values, and asks no cluster', () => {
  const args = installArguments({ ...flags, print: true, kubeconfig: 'k', set: ['a=1'] }, 'charts/weft');
  assert.equal(args[0], 'template');
  assert.deepEqual(args.slice(-2), ['--set', 'a=1']);
  assert.ok(!args.includes('--kubeconfig'));
});

test('uninstalling names the release, its namespace and the cluster', () => {
  const expected = 'uninstall weft --wait --timeout 5m --namespace weft-system --kube-context c';
  assert.deepEqual(uninstallArguments({ ...flags, context: 'c' }), expected.split(' '));
});

test('the chart is found beside the program, and a wrong folder is refused by name', () => {
  assert.match(findChart(undefined), /charts\/weft$/);
  assert.throws(() => findChart('/nowhere'), /no chart in \/nowhere; name its folder with --chart/);
});

test('the exit code of helm is passed on, and its absence explained', async () => {
  assert.deepEqual(await runHelm(['-e', 'process.exit(3)'], { program: process.execPath }), { code: 3, text: '' });
  await assert.rejects(runHelm([], { program: 'no-such-helm' }), /no-such-helm is not installed, or not on the PATH/);
});

test('for machines, what helm tells is captured and cut down', async () => {
  assert.ok(
    installArguments({ ...flags, output: 'json' }, 'charts/weft')
      .join(' ')
      .includes('--output json'),
  );
  const release = {
    name: 'weft',
    namespace: 'weft-system',
    version: 2,
    info: { status: 'deployed' },
    chart: { metadata: { appVersion: '1.2.3' }, templates: [] },
  };
  const { text } = await runHelm(['-e', `console.log(${JSON.stringify(JSON.stringify(release))})`], { program: process.execPath, capture: true });
  assert.deepEqual(releaseOf(text), { release: 'weft', namespace: 'weft-system', revision: 2, status: 'deployed', version: '1.2.3' });
});
