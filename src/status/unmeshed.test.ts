import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyOf } from '../model/name.js';
import type { Pod } from '../model/workload.js';
import { unmeshedPods } from './unmeshed.js';

const pod = (namespace: string, name: string, fields: Partial<Pod> = {}): Pod => ({
  ...{ key: keyOf(namespace, name), namespace, name, addresses: ['10.0.0.1'], labels: {}, serviceAccount: 'default', node: 'n', ports: new Map() },
  ...{ uid: `uid-${name}`, created: '2026-01-02T00:00:00Z', hostNetwork: false, proxy: 'None' },
  ...fields,
});
const namespace = (name: string, inject: string | undefined, injectSince = '') => ({
  name,
  labels: inject === undefined ? {} : { 'weft.dev/inject': inject },
  injectSince,
});
const yes = { 'weft.dev/inject': 'true' };

test('who should be meshed and is not, with the reason', () => {
  const namespaces = [
    namespace('late', 'true', '2026-01-03T00:00:00Z'),
    namespace('early', 'true', '2026-01-01T00:00:00Z'),
    namespace('plain', undefined),
    namespace('odd', 'enabled'),
  ];
  const pods = [
    pod('late', 'a'),
    pod('early', 'b'),
    pod('early', 'c', { hostNetwork: true }),
    pod('plain', 'd', { labels: yes }),
    pod('early', 'e', { created: '' }),
    pod('odd', 'f'),
    pod('plain', 'g', { labels: { 'weft.dev/inject': 'yes' } }),
  ];
  const found = unmeshedPods({ pods, namespaces, excluded: new Set() });
  assert.deepEqual(
    found.map((each) => `${each.pod} ${each.reason}`),
    [
      'early/b InjectorUnavailable',
      'early/c HostNetwork',
      'early/e NotInjected',
      'late/a CreatedBeforeLabel',
      'odd/f UnknownLabel',
      'plain/d NotInjected',
      'plain/g UnknownLabel',
    ],
  );
  assert.match(found[0]?.message ?? '', /weft-injector/);
});

test('who is meshed, opts out, is not asked for, has no address or lives where nothing is meshed is not reported', () => {
  const namespaces = [namespace('shop', 'true'), namespace('off', 'false'), namespace('plain', undefined), namespace('kube-system', 'true')];
  const pods = [
    pod('shop', 'meshed', { proxy: 'Injected' }),
    pod('shop', 'out', { labels: { 'weft.dev/inject': 'false' } }),
    pod('shop', 'done', { addresses: [] }),
    pod('off', 'a'),
    pod('plain', 'a'),
    pod('unknown', 'a'),
    pod('kube-system', 'a', { labels: yes }),
  ];
  assert.deepEqual(unmeshedPods({ pods, namespaces, excluded: new Set(['kube-system']) }), []);
});
