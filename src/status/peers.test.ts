import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHands } from '../../test/support/hands.js';
import { addUp, createPeers, makePeerReport, readPeerReport } from './peers.js';
import { createTally, type ProxyResource } from './tally.js';

const caused = (state: ProxyResource['state'], field: string, policy = 'p', name = 'x'): ProxyResource => ({
  ...{ type: 'VirtualHost', name, state, message: 'no' },
  causes: [{ object: { kind: 'TrafficPolicy', namespace: 'shop', name: policy }, field }],
});

test('a proxy counts once for each policy, and one refusal is enough', () => {
  const tally = createTally();
  tally.add({ id: 'shop/a', resources: [caused('Synced', 'spec.retry'), caused('Synced', 'spec.rules[x]', 'q')] });
  tally.add({ id: 'shop/b', resources: [caused('Synced', 'spec.retry'), caused('Pending', 'spec.retry', 'p', 'y')] });
  tally.add({ id: 'shop/d', resources: [caused('Rejected', 'spec.rules[a.b].filters[0]', 'p', 'z'), caused('Pending', 'spec.retry')] });
  tally.add({ id: 'shop/c', resources: [caused('Rejected', 'spec.retry', 'p', 'z'), caused('Absent', 'spec.retry', 'q')] });
  assert.deepEqual(tally.rows(), [
    {
      ...{ policy: 'shop/p', matched: 4, acknowledged: 1, rejected: 2, pending: 1 },
      lastRejection: { proxy: 'shop/c', resource: 'VirtualHost z', stanza: 'retry', message: 'no' },
    },
    { policy: 'shop/q', matched: 1, acknowledged: 1, rejected: 0, pending: 0 },
  ]);
});

test('the stanza of a refusal is the part of the policy that shaped the resource', () => {
  const stanzas = ['spec.rules[a.b].filters[0]', 'spec.retry', 'spec.rules[0].backendRefs', ''].map((field) => {
    const tally = createTally();
    tally.add({ id: 'a', resources: [caused('Rejected', field)] });
    return tally.rows()[0]?.lastRejection?.stanza;
  });
  assert.deepEqual(stanzas, ['rules[a.b]', 'retry', 'rules[0]', '']);
});

const row = (policy: string, matched: number, acknowledged: number) => ({ policy, matched, acknowledged, rejected: 0, pending: matched - acknowledged });

test('counts add up; what is told of another generation has yet to be answered', () => {
  const here = new Map([
    ['shop/p', 3],
    ['shop/q', 1],
  ]);
  const own = makePeerReport([row('shop/p', 2, 2), row('shop/q', 1, 1)], here);
  const behind = makePeerReport([row('shop/p', 4, 4), row('shop/gone', 9, 9)], new Map([['shop/p', 2]]));
  const level = makePeerReport([row('shop/p', 3, 1)], new Map([['shop/p', 3]]));
  assert.deepEqual([...addUp(here, [own, behind, level]).values()], [row('shop/p', 9, 3), row('shop/q', 1, 1)]);
});

test('a report survives JSON, and nothing else passes for one', () => {
  const lastRejection = { proxy: 'p'.repeat(999), resource: 'r', stanza: '', message: 'm'.repeat(99_999) };
  const report = makePeerReport([{ ...row('shop/p', 1, 0), lastRejection }], new Map());
  assert.deepEqual(readPeerReport(JSON.parse(JSON.stringify(report))), report);
  for (const body of [undefined, [], {}, { policies: [{}] }, { policies: [{ ...row('p', 1, 1), generation: -1 }] }])
    assert.equal(readPeerReport(body), undefined);
});

test('a peer that does not answer keeps its last report for 30 seconds, one that is gone for 10', async () => {
  const hands = createHands();
  const report = makePeerReport([row('shop/p', 1, 1)], new Map());
  const [a, b] = [
    { id: 'a', address: '1' },
    { id: 'b', address: '2' },
  ];
  assert.ok(a && b);
  let present = [a, b];
  let answers: unknown = report;
  const errors: string[] = [];
  const fetchReport = async () => answers;
  const peers = createPeers({ peers: () => present, fetchReport, timers: hands, onError: ({ id }, error) => errors.push(`${id} ${String(error)}`) });
  await peers.refresh();
  assert.equal(peers.reports().length, 2);
  answers = 'nonsense';
  present = [a];
  await hands.turn(11_000);
  await peers.refresh();
  assert.deepEqual([peers.reports().length, errors], [1, ['a Error: the answer is no report']]);
  await hands.turn(20_000);
  assert.equal(peers.reports().length, 0);
});
