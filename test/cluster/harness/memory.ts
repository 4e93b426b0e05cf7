/** The memory of Weft's own processes. */
import assert from 'node:assert/strict';
import { parseMetrics, total } from './envoy-stats.js';
import { getFromPod, podsOf } from './kubectl.js';
import { weftNamespace } from './release.js';

/** Resident bytes of each pod of a component, by its own metrics. */
export async function memoryOf(component: 'controller' | 'injector'): Promise<readonly number[]> {
  const pods = await podsOf(weftNamespace, `app.kubernetes.io/component=${component}`);
  const all = pods.map(async (pod) => total(parseMetrics(await getFromPod(weftNamespace, pod, 15_020, '/metrics')), 'process_resident_memory_bytes'));
  const bytes = await Promise.all(all);
  assert.ok(bytes.length > 0 && bytes.every((value) => value > 0), `each ${component} tells its memory`);
  return bytes;
}

/** As people read it. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
