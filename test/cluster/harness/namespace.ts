/** Namespaces for tests. */
import type { Cleanup } from '../../support/envoy.js';
import { apply, kubectl } from './kubectl.js';

/** Makes a namespace, after removing one that an earlier run has left; `isMeshed` puts the label of injection on it. It goes after the test. */
export async function makeNamespace(t: Cleanup, name: string, isMeshed: boolean): Promise<void> {
  await removeNamespace(name);
  t.after(() => removeNamespace(name));
  await apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: isMeshed ? { 'weft.dev/inject': 'true' } : {} } }]);
  // The controller manager makes it a little later, and no pod can be made without it.
  await kubectl(['-n', name, 'wait', 'serviceaccount/default', '--for=create', '--timeout=30s']);
}

/** Resolves once there is no such namespace. Its pods end at once: what they still have to do matters to nobody. */
export async function removeNamespace(name: string): Promise<void> {
  await kubectl(['-n', name, 'delete', 'pods', '--all', '--grace-period=1', '--wait=false', '--ignore-not-found']);
  await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--timeout=120s'], { timeoutMs: 140_000 });
}
