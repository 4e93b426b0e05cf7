import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect } from './connect.js';
import { readKubeconfig } from './kubeconfig.js';

async function folderOf(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-kubeconfig-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

const one = `
current-context: work
clusters:
- {name: c1, cluster: {server: "https://one:6443/", certificate-authority: ca.pem}}
users:
- {name: u1, user: {client-certificate: me.pem, client-key: /keys/me.key}}
contexts:
- {name: work, context: {cluster: c1, user: u1, namespace: shop}}
- {name: lost, context: {cluster: gone, user: u1}}
`;

const two = `
current-context: play
clusters:
- {name: c1, cluster: {server: "https://other:6443"}}
- {name: c2, cluster: {server: "http://two:8080"}}
contexts:
- {name: play, context: {cluster: c1}}
- {name: plain, context: {cluster: c2}}
`;

test('the current context is chosen, and paths are meant from the folder of the file', async (t) => {
  const folder = await folderOf(t, { one });
  assert.deepEqual(readKubeconfig(join(folder, 'one')), {
    context: 'work',
    namespace: 'shop',
    server: 'https://one:6443',
    cluster: { server: 'https://one:6443/', 'certificate-authority': join(folder, 'ca.pem') },
    user: { 'client-certificate': join(folder, 'me.pem'), 'client-key': '/keys/me.key' },
  });
});

test('of several files the first that has an entry counts', async (t) => {
  const folder = await folderOf(t, { one, two });
  const both = [join(folder, 'one'), join(folder, 'two')].join(delimiter);
  assert.equal(readKubeconfig(both).context, 'work');
  const { server, namespace, user } = readKubeconfig(both, 'play');
  assert.deepEqual({ server, namespace, user }, { server: 'https://one:6443', namespace: 'default', user: {} });
});

test('what is wrong is named with what there is instead', async (t) => {
  const folder = await folderOf(t, { one, two, list: '- a', broken: '{', empty: '{}' });
  const at = (name: string) => join(folder, name);
  assert.throws(() => readKubeconfig(at('one'), 'wrok'), /one has no context "wrok"; it has lost, work$/);
  assert.throws(() => readKubeconfig(at('one'), 'lost'), /one has no cluster "gone"; it has c1$/);
  assert.throws(() => readKubeconfig(at('two'), 'plain'), /context plain is "http:\/\/two:8080"; it must be an https:\/\/ URL$/);
  assert.throws(() => readKubeconfig(at('empty')), /empty has no current-context; name one of none with --context$/);
  assert.throws(() => readKubeconfig(at('list')), /the kubeconfig .*list cannot be read: it holds no map$/);
  assert.throws(() => readKubeconfig(at('broken')), /the kubeconfig .*broken cannot be read: /);
  assert.throws(() => readKubeconfig(at('absent')), /the kubeconfig .*absent cannot be read: ENOENT/);
});

test('without any cluster the error says what to give', async (t) => {
  const home = await folderOf(t, {});
  assert.throws(() => connect({ home }), /no cluster is configured: .* give --kubeconfig FILE, or set KUBECONFIG$/);
  assert.throws(() => connect({ home, inCluster: { host: '10.96.0.1', port: '443', folder: home } }), /no cluster is configured/);
});
