import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRoot } from '../../../test/support/authority.js';
import { createCompiler } from '../../compile/compiler.js';
import { createController } from '../../controller.js';
import type { Pod } from '../../model/workload.js';
import { createClient } from '../../serve/client.js';
import { createDelta } from '../../serve/delta.js';
import { createRegistry } from '../../serve/registry.js';
import { createStore } from '../../sources/store.js';
import { identitySide } from './identity-side.js';

const web: Pod = {
  ...{ key: 'shop/web-1', namespace: 'shop', name: 'web-1', addresses: ['10.0.0.1'], labels: {}, serviceAccount: 'web', node: '' },
  ...{ ports: new Map(), uid: '1', created: '', hostNetwork: false, proxy: 'Injected' },
};

test('a sidecar that has come back and not asked for its certificate yet is behind; who is no sidecar has no use for one', async () => {
  const store = createStore();
  store.apply([{ kind: 'Pod', key: web.key, object: web }]);
  const controller = createController({ store, compiler: createCompiler(), onDefect: (_, error) => assert.fail(String(error)) });
  const registry = createRegistry();
  for (const id of ['shop/web-1', 'shop/proxyless']) {
    const audience = { namespace: 'shop', zone: '', client: 'captured' as const, explicitPort: 0, serviceAccount: 'web', labels: {}, ports: new Map() };
    const joinScope: Parameters<typeof createClient>[1] = (member) => controller.scopes.join({ workload: id, audienceKey: id, audience }, member);
    const client = createClient(createDelta().traits, joinScope, () => undefined);
    registry.add({ node: { id }, variant: 'delta', peer: '', since: '', client, counters: { requests: 0, responses: 0, bytes: 0, rejections: 0 } });
  }
  const root = await newRoot();
  const side = identitySide({ ca: { current: () => root }, secrets: { issuerOf: () => undefined }, registry, store, clock: () => 7 });
  assert.deepEqual([side.proxies, side.unrenewed, side.untrusting], [1, ['shop/web-1'], ['shop/web-1']]);
  assert.deepEqual([side.time, side.namespaces], [7, ['shop']]);
});
