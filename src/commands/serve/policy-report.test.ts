import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesOf, policy, service, slice } from '../../../test/compile/world.js';
import { createCompiler } from '../../compile/compiler.js';
import { createController } from '../../controller.js';
import type { Batch } from '../../serve/batch.js';
import { createClient } from '../../serve/client.js';
import { createDelta } from '../../serve/delta.js';
import { createRegistry } from '../../serve/registry.js';
import { createStore } from '../../sources/store.js';
import { createPolicyReport } from './policy-report.js';

const authority = 'out/web.shop:9080';

/** A policy that makes one route, in its n-th generation. */
function generation(n: number): string {
  return policy('p', 'web', `rules: [{name: first, timeouts: {request: ${n}s}}]`).replace('name: p,', `name: p, generation: ${n},`);
}

function setUp() {
  const store = createStore();
  const controller = createController({ store, compiler: createCompiler(), onDefect: (_, error) => assert.fail(String(error)) });
  const registry = createRegistry();
  let revision = 0;
  const apply = (yaml: string) => {
    controller.apply(changesOf(yaml));
    revision++;
  };
  apply(service('web', '10.0.0.1'));
  apply(slice('web', { '10.1.0.1': 'a' }));
  const connect = (id: string) => {
    const audience = {
      namespace: 'shop',
      zone: '',
      client: 'explicit' as const,
      explicitPort: 15_001,
      serviceAccount: 'default',
      labels: {},
      ports: new Map(),
    };
    const who = { workload: id, audienceKey: 'shop', audience };
    const client = createClient(
      createDelta().traits,
      (member) => controller.scopes.join(who, member),
      () => undefined,
    );
    const counters = { requests: 1, responses: 0, bytes: 0, rejections: 0 };
    const connection = { node: { id }, variant: 'delta' as const, peer: '', since: '', client, counters };
    registry.add(connection);
    client.subscribe('VirtualHost', [authority], { wildcard: false });
    /** Reads all there is, as a stream does it, and answers each response. */
    const settle = (answer: (batch: Batch) => void) => {
      for (let batch = client.next(); batch; batch = client.next()) {
        counters.responses++;
        counters.requests++;
        answer(batch);
      }
    };
    const accept = () => settle(({ type, nonce }) => client.acknowledge(type, nonce));
    const refuse = () =>
      settle(({ type, nonce }) => (type === 'VirtualHost' ? client.refuse(type, nonce, `${authority}: no`) : client.acknowledge(type, nonce)));
    const read = () => settle(() => undefined);
    return { accept, refuse, read, leave: () => registry.remove(connection) };
  };
  return { apply, connect, report: createPolicyReport({ registry, store, revision: () => revision }), registry };
}

test('what each proxy has acknowledged of the generation in force is counted, from its first word to its last', async () => {
  const { apply, connect, report, registry } = setUp();
  apply(generation(1));
  const [a, b] = [connect('shop/a'), connect('shop/b')];
  const counts = async () => {
    const [row] = (await report()).policies;
    return row && { generation: row.generation, acknowledged: row.acknowledged, rejected: row.rejected, pending: row.pending };
  };
  a.read();
  b.read();
  assert.deepEqual(await counts(), { generation: 1, acknowledged: 0, rejected: 0, pending: 2 });
  apply(generation(2));
  a.accept();
  assert.deepEqual(await counts(), { generation: 2, acknowledged: 1, rejected: 0, pending: 1 });
  b.refuse();
  assert.deepEqual(await counts(), { generation: 2, acknowledged: 1, rejected: 1, pending: 0 });
  const [row] = (await report()).policies;
  assert.deepEqual(row?.lastRejection, { proxy: 'shop/b', resource: `VirtualHost ${authority}`, stanza: 'rules[first]', message: `${authority}: no` });
  apply(generation(3));
  assert.deepEqual(await counts(), { generation: 3, acknowledged: 0, rejected: 0, pending: 2 }, 'what was refused is another version by now');
  a.accept();
  b.accept();
  assert.deepEqual(await counts(), { generation: 3, acknowledged: 2, rejected: 0, pending: 0 });
  b.leave();
  assert.deepEqual(await counts(), { generation: 3, acknowledged: 1, rejected: 0, pending: 0 });
  a.leave();
  assert.deepEqual(await report(), { policies: [] });
  const { opened, responses } = registry.totals();
  assert.ok(opened === 2 && responses > 4, 'the totals outlive the streams');
});
