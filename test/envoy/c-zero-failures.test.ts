/** No request fails while endpoints, policies and Services change and while Weft dies and comes back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RunningBackend, startBackend } from '../support/backend.js';
import { backends, type Manifest, policy, put, service, take } from '../support/manifests.js';
import { createMesh, namespace } from '../support/mesh.js';
import { type Answer, type Count, call, startSteadyLoad } from '../support/steady-load.js';

const perSecond = 150;

/** A process behind the Service `steady`. */
interface Replica {
  readonly name: string;
  readonly version: string;
  readonly running: RunningBackend;
}

async function startReplica(number: number): Promise<Replica> {
  const name = `steady-${number}`;
  return { name, version: number % 2 === 0 ? 'v1' : 'v2', running: await startBackend(name, 20) };
}

function endpoints(replicas: readonly Replica[]): readonly Manifest[] {
  const members = replicas.map(({ name, version, running }) => ({ pod: name, address: '127.0.0.1', port: running.port, labels: { version } }));
  return backends(namespace, 'steady', 'http', members);
}

const loadBalancings = [
  { type: 'RoundRobin' },
  { type: 'LeastRequest', slowStart: { window: '2s' } },
  { type: 'Random' },
  { type: 'ConsistentHash', consistentHash: { type: 'SourceIP' } },
];

/** The policy's n-th edit: each changes the routes, and most change the clusters too. */
function edit(number: number): Manifest {
  const backend = (version: string, weight: number) => ({ name: 'steady', port: 80, weight, podSelector: { matchLabels: { version } } });
  return policy(namespace, 'steady', 'steady', {
    rules: [
      {
        name: 'all',
        filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-revision', value: String(number) }] } }],
        backendRefs: number % 3 === 0 ? [{ name: 'steady', port: 80 }] : [backend('v1', number % 100), backend('v2', 100 - (number % 100))],
      },
    ],
    timeouts: { request: `${10 + (number % 7)}s` },
    retry: { codes: [503], attempts: 1 + (number % 3), backoff: '10ms' },
    circuitBreaker: { maxConnections: 500 + number, maxParallelRequests: 1000 + number },
    loadBalancing: loadBalancings[number % loadBalancings.length] ?? {},
    ...(number % 2 === 0 ? { outlierDetection: { consecutive5xxErrors: 50 + number } } : { connection: { idleTimeout: `${60 + number}s` } }),
  });
}

test('no request fails', { timeout: 120_000 }, async (t) => {
  const mesh = await createMesh(t);
  const { manifests } = mesh;
  const running: Replica[] = await Promise.all([0, 1, 2, 3].map(startReplica));
  t.after(() => Promise.all(running.map((replica) => replica.running.close())).then(() => undefined));
  await put(manifests, 'services', [service(namespace, 'steady', '10.96.0.1', [{ name: 'http', port: 80 }])]);
  await put(manifests, 'endpoints', endpoints(running));
  await put(manifests, 'policy', [edit(0)]);
  await mesh.start();
  const sidecars = [await mesh.sidecar('web-0'), await mesh.sidecar('web-1', ['--concurrency', '2'])];
  const proxyPorts = sidecars.map(({ port }) => port);

  const load = startSteadyLoad(proxyPorts, 'http://steady.shop/', perSecond);
  t.after(load.stop);
  const revision = (wanted: number | '') => load.seen(({ headers }: Answer) => headers['x-revision'] === String(wanted));
  await revision(0);
  const check = async (what: string, more: readonly string[] = []) => {
    const { sent, failed, failures }: Count = await load.count();
    t.diagnostic(`${what}: ${sent} sent, ${failed} failed`);
    assert.deepEqual([...failures, ...more], [], `${what}: ${failed} of ${sent} failed\n${failed > 0 ? await mesh.log() : ''}`);
    assert.ok(sent > 0);
  };

  await t.test('while every endpoint is replaced by another', async () => {
    for (let number = 4; number < 12; number++) {
      const [old, ...kept] = running;
      const fresh = await startReplica(number);
      running.splice(0, running.length, ...kept, fresh);
      await put(manifests, 'endpoints', endpoints(running));
      await load.seen(({ headers }) => headers['x-app'] === fresh.name);
      await Promise.all([old?.running.leave(), load.answers(30)]);
    }
    await check('endpoints replaced');
  });

  await t.test('while a policy is edited 200 times, each edit in effect before the next, and 50 times in one go', async () => {
    for (let number = 1; number <= 200; number++) {
      await put(manifests, 'policy', [edit(number)]);
      await revision(number);
      if (number % 20 > 0) continue;
      await take(manifests, 'policy');
      await revision('');
    }
    for (let number = 201; number <= 250; number++) await put(manifests, 'policy', [edit(number)]);
    await revision(250);
    await check('policy edited');
  });

  await t.test('while other Services come and go, and are called', async () => {
    const failures: string[] = [];
    let sent = 0;
    for (let number = 0; number < 12; number++) {
      const name = `extra-${number % 8}`;
      const member = running[number % running.length];
      const slices = backends(namespace, name, 'http', [{ pod: `${name}-a`, address: '127.0.0.1', port: member?.running.port ?? 0 }]);
      await put(manifests, name, [service(namespace, name, `10.96.1.${number + 1}`, [{ name: 'http', port: 80 }]), ...slices]);
      for (const port of proxyPorts) {
        while ((await call(undefined, port, `http://${name}.shop/`)).status === 404);
        const answers = await Promise.all(Array.from({ length: 10 }, () => call(undefined, port, `http://${name}.shop/`)));
        sent += answers.length;
        failures.push(...answers.filter(({ status }) => status !== 200).map(({ status, text }) => `${name}: ${status} ${text}`));
      }
      await take(manifests, name);
      await load.answers(10);
    }
    t.diagnostic(`Services added: ${sent} sent to them, ${failures.length} failed`);
    await check('Services added and removed', failures);
  });

  await t.test('while Weft is killed and started five times and the policy is edited', async () => {
    for (let number = 251; number <= 255; number++) {
      await mesh.kill();
      await put(manifests, 'policy', [edit(number)]);
      await load.answers(50);
      await mesh.start();
      await revision(number);
    }
    await check('Weft killed');
  });
});
