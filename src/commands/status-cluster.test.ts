import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeClient, KubeRequest } from '../kubernetes/api.js';
import { startAdmin } from '../observe/admin.js';
import type { ProxyRow } from '../status/report.js';
import { isTroubled, mergeStatuses } from './status-cluster.js';
import { fetchStatus } from './status-fetch.js';
import { askReplicas } from './status-replicas.js';
import type { ClusterSide, Status } from './status-report.js';
import { formatCluster } from './status-tables.js';

const row = (proxy: string): ProxyRow => ({
  ...{ proxy, variant: 'delta', since: '2026-01-01T00:00:00Z', traffic: { requests: 1, responses: 1, bytes: 1 }, state: 'Synced' },
  ...{ synced: 3, pending: 0, rejected: 0 },
});
const unmeshed = { pod: 'shop/bare', uid: 'u', reason: 'HostNetwork', message: 'it uses the network of its node' } as const;

function statusOf(identity: string, holder: string, fields: Partial<Status> = {}, side: Partial<ClusterSide> = {}): Status {
  const process = { cpuSeconds: 0, rssBytes: 0, heapBytes: 0, eventLoopDelayP99Ms: 0, uptimeSeconds: 0 };
  const cluster = { identity, holder, unmeshed: [unmeshed], deaf: [], ...side };
  return { process, compilations: 0, names: 0, proxies: [], policies: [], rejections: [], diagnostics: [], cluster, ...fields };
}

const counted = (acknowledged: number, pending: number) => ({ policy: 'shop/p', matched: acknowledged + pending, acknowledged, rejected: 0, pending });

test('the replicas are added up, what all of them see comes once', () => {
  const a = statusOf('weft-a', 'weft-a', { proxies: [row('shop/z')], policies: [counted(1, 1)] });
  const b = statusOf('weft-b', 'weft-a', { proxies: [row('shop/a')], policies: [counted(2, 0)] });
  const merged = mergeStatuses([
    { pod: 'weft-a', page: a },
    { pod: 'weft-b', page: b },
  ]);
  assert.deepEqual(
    merged.proxies.map(({ proxy, replica }) => `${proxy} ${replica}`),
    ['shop/a weft-b', 'shop/z weft-a'],
  );
  assert.deepEqual([merged.policies, merged.unmeshed, isTroubled(merged)], [[counted(3, 1)], [unmeshed], false]);
  assert.deepEqual(
    merged.replicas.map(({ replica, proxies, isHolder }) => [replica, proxies, isHolder]),
    [
      ['weft-a', 1, true],
      ['weft-b', 1, false],
    ],
  );
});

test('a replica that does not answer or is deaf, nobody who writes status, a refusal and an error are trouble', () => {
  const fine = statusOf('weft-a', 'weft-a');
  const rejection = { proxy: 'shop/a', resource: 'Cluster x', causes: [], message: 'no' };
  const error = {
    severity: 'error',
    object: { kind: 'TrafficPolicy', namespace: 'shop', name: 'p' },
    field: '',
    reason: 'Invalid',
    message: 'm',
    remedy: 'r',
  } as const;
  const troubled = (...statuses: readonly (Status | string)[]) =>
    isTroubled(
      mergeStatuses(statuses.map((each, index) => ({ pod: `weft-${'ab'[index]}`, ...(typeof each === 'string' ? { problem: each } : { page: each }) }))),
    );
  assert.deepEqual(
    [
      troubled(fine),
      troubled(fine, 'does not answer'),
      troubled(statusOf('weft-a', '')),
      troubled(statusOf('weft-a', 'weft-a', {}, { deaf: [{ kind: 'v1/Pod', problem: 'forbidden' }] })),
      troubled(statusOf('weft-a', 'weft-a', { rejections: [rejection] })),
      troubled(statusOf('weft-a', 'weft-a', { diagnostics: [error] })),
      troubled(statusOf('weft-a', 'weft-a', { diagnostics: [{ ...error, severity: 'warning' }] })),
    ],
    [false, true, true, true, true, true, false],
  );
});

test('each running pod of weft-controller is asked at its admin port', async (t) => {
  const status = statusOf('weft-a', 'weft-a', { proxies: [row('shop/web-1')] });
  const admin = await startAdmin('127.0.0.1', 0, { isReady: () => true, status: () => status, ports: () => ({ ports: [] }) });
  t.after(() => admin.close());
  const pod = (name: string, phase: string, fields = {}) => ({ metadata: { name, ...fields }, status: { phase } });
  const items = [pod('weft-a', 'Running'), pod('weft-b', 'Running'), pod('weft-c', 'Pending'), pod('weft-d', 'Running', { deletionTimestamp: 'now' })];
  let asked: KubeRequest | undefined;
  const request = async (sent: KubeRequest) => {
    asked = sent;
    return { items };
  };
  const client: KubeClient = { request, watch: async () => {}, server: 'https://cluster' };
  const forward = async (name: string) => {
    if (name === 'weft-b') throw new Error('the pod is unreachable');
    return { port: admin.port, close: async () => {} };
  };
  const merged = mergeStatuses(await askReplicas({ client, namespace: 'weft-system', forward }, fetchStatus));
  assert.deepEqual(asked?.path, '/api/v1/namespaces/weft-system/pods');
  assert.equal(
    formatCluster(merged),
    [
      'REPLICA  PROXIES  WRITES STATUS  PROBLEM',
      'weft-a   1        yes            -',
      'weft-b   0        no             does not answer: the pod is unreachable',
      'weft-c   0        no             is Pending',
      '',
      'PROXY       VARIANT  STATE   SYNCED  PENDING  REJECTED  SINCE                 REPLICA',
      'shop/web-1  delta    Synced  3       0        0         2026-01-01T00:00:00Z  weft-a',
      '',
      'NOT MESHED  REASON',
      'shop/bare   HostNetwork',
      '    HostNetwork: it uses the network of its node',
      '',
    ].join('\n'),
  );
  items.length = 0;
  await assert.rejects(askReplicas({ client, namespace: 'weft-system', forward }, fetchStatus), /no pod of weft-controller; install Weft/);
});
