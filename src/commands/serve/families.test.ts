import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../../observe/metrics.js';
import { createRegistry } from '../../serve/registry.js';
import { controllerFamilies } from './families.js';

test('the metrics of the controller', async () => {
  const metrics = createMetrics();
  const unmeshed = { pod: 'shop/a', uid: 'u', reason: 'HostNetwork', message: '' } as const;
  metrics.add(
    controllerFamilies({
      ...{ registry: createRegistry(), compilations: () => 3, compileSeconds: () => 0.5, clock: () => 61_000 },
      watch: () => [
        { id: 'v1/Pod', synced: true, following: false, objects: 7, lastEvent: 1_000 },
        { id: 'v1/Node', synced: false, following: false, objects: 0, lastEvent: undefined },
      ],
      lease: { isHolder: () => true },
      loop: { summary: () => [{ type: 'Accepted', status: 'True', reason: 'Accepted', count: 4 }] },
      writer: { writes: () => 9 },
      unmeshed: () => [unmeshed, unmeshed],
    }),
  );
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('weft_'));
  assert.deepEqual(lines, [
    'weft_connected_proxies{variant="delta"} 0',
    'weft_connected_proxies{variant="sotw"} 0',
    'weft_streams_opened_total 0',
    'weft_xds_requests_total 0',
    'weft_xds_pushes_total 0',
    'weft_xds_bytes_total 0',
    'weft_xds_rejections_total 0',
    'weft_compilations_total 3',
    'weft_compile_seconds_total 0.5',
    'weft_watch_synced{kind="v1/Pod"} 1',
    'weft_watch_synced{kind="v1/Node"} 0',
    'weft_watch_following{kind="v1/Pod"} 0',
    'weft_watch_following{kind="v1/Node"} 0',
    'weft_watch_objects{kind="v1/Pod"} 7',
    'weft_watch_objects{kind="v1/Node"} 0',
    'weft_watch_silent_seconds{kind="v1/Pod"} 60',
    'weft_lease_holder 1',
    'weft_status_writes_total 9',
    'weft_policy_conditions{type="Accepted",status="True",reason="Accepted"} 4',
    'weft_unmeshed_pods{reason="UnknownLabel"} 0',
    'weft_unmeshed_pods{reason="HostNetwork"} 2',
    'weft_unmeshed_pods{reason="CreatedBeforeLabel"} 0',
    'weft_unmeshed_pods{reason="InjectorUnavailable"} 0',
    'weft_unmeshed_pods{reason="NotInjected"} 0',
  ]);
});
