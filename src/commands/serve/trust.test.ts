import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { KubeClient, KubeRequest } from '../../kubernetes/api.js';
import { keepTrust } from './trust.js';

const meshed = (name: string) => ({ name, labels: { 'weft.dev/inject': 'true' }, injectSince: '' });

/** A keeper over an API server in which the namespace `theirs` has a ConfigMap of somebody else where Weft's should be. */
function keeper(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const requests: KubeRequest[] = [];
  const problems: string[] = [];
  const namespaces = [meshed('theirs')];
  const client: KubeClient = {
    server: 'https://scripted',
    watch: () => Promise.reject(new Error('nothing is watched')),
    request: async (request) => {
      requests.push(request);
      if (request.path === '/api/v1/configmaps') return { items: [{ metadata: { name: 'weft-ca', namespace: 'theirs' } }] };
      return request.method === 'GET' ? { metadata: { uid: 'owner' } } : {};
    },
  };
  const store = { namespaces: () => namespaces, pods: () => [] };
  const onError = (error: unknown) => problems.push(String(error));
  const kept = keepTrust({ client, store, bundle: () => 'PEM', serverName: 'weft-controller', isHolder: () => true, onError });
  t.after(kept.close);
  const pass = async (ms: number) => {
    t.mock.timers.tick(ms);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const lists = () => requests.filter(({ path }) => path === '/api/v1/configmaps').length;
  const created = () => requests.flatMap(({ method, path }) => (method === 'POST' ? [path] : []));
  return { kept, pass, lists, created, problems, namespaces };
}

test('a namespace in which somebody else has put a ConfigMap of that name does not keep the API server busy', async (t) => {
  const { kept, pass, lists, problems } = keeper(t);
  for (let second = 0; second < 600; second++) {
    // Pods come and go all the time.
    kept.touch();
    await pass(1_000);
  }
  assert.ok(lists() > 10 && lists() < 30, `${lists()} lists in ten minutes`);
  assert.equal(problems.length, lists());
  assert.match(problems[0] ?? '', /namespace theirs: ConfigMap theirs\/weft-ca is there and not of Weft/);
});

test('and another namespace has its ConfigMap at once', async (t) => {
  const { kept, pass, created, namespaces } = keeper(t);
  for (let second = 0; second < 120; second++) await pass(1_000);
  namespaces.push(meshed('shop'));
  kept.touch();
  await pass(100);
  assert.deepEqual(created(), ['/api/v1/namespaces/shop/configmaps']);
});
