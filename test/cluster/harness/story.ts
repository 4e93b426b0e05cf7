/** A test on the cluster; when it fails it shows what the cluster looked like. */
import { type TestContext, test } from 'node:test';
import { kubectl } from './kubectl.js';
import { weftNamespace } from './release.js';

/** As `test`, with what is going on in these namespaces, and in Weft's own, written out before the failure is reported. */
export function story(name: string, namespaces: readonly string[], tell: (t: TestContext) => Promise<void>): void {
  test(name, async (t) => {
    try {
      await tell(t);
    } catch (error) {
      for (const namespace of [...namespaces, weftNamespace]) await describe(namespace);
      throw error;
    }
  });
}

async function describe(namespace: string): Promise<void> {
  await show(['-n', namespace, 'get', 'pods,services,endpointslices', '-o', 'wide']);
  await show(['-n', namespace, 'get', 'trafficpolicies', '-o', 'yaml']);
  await show(['-n', namespace, 'get', 'events', '--sort-by=.lastTimestamp']);
  if (namespace === weftNamespace) await show(['-n', namespace, 'logs', '-l', 'app.kubernetes.io/name=weft', '--prefix', '--tail=60']);
  else await show(['-n', namespace, 'logs', '-l', 'app', '-c', 'weft-proxy', '--prefix', '--tail=15']);
}

async function show(args: readonly string[]): Promise<void> {
  const text = await kubectl(args, { timeoutMs: 20_000 }).catch((error: unknown) => String(error));
  process.stdout.write(`\n$ kubectl ${args.join(' ')}\n${text}\n`);
}
