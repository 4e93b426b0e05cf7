/** The world of the tests under load: a web application, a gRPC service, and meshed callers of both. */
import type { Cleanup } from '../../support/envoy.js';
import { type Manifest, policy } from '../../support/manifests.js';
import { apply, rolledOut } from './kubectl.js';
import { type Load, startLoad } from './load.js';
import { type App, deployment, httpReady, service, tcpReady } from './manifests.js';
import { makeNamespace } from './namespace.js';
import { ensureInstalled } from './release.js';
import { until } from './until.js';

const web = (version: string, replicas: number): App => ({
  ...{ name: 'web', args: ['http', '8080'], labels: { version }, env: { VERSION: version }, replicas, readiness: httpReady(8080) },
});

/** One version of the web application, as the Deployment `web-VERSION`. */
export function webDeployment(namespace: string, version: string, replicas: number): Manifest {
  return deployment(namespace, web(version, replicas), `web-${version}`);
}

/** Installs Weft if need be, deploys everything, and begins to call. */
export async function startLoadWorld(t: Cleanup, namespace: string): Promise<Load> {
  await ensureInstalled();
  await makeNamespace(t, namespace, true);
  await apply([
    service(namespace, 'web', [{ name: 'http', port: 80, targetPort: 8080 }]),
    webDeployment(namespace, 'v1', 3),
    service(namespace, 'reviews', [{ name: 'grpc', port: 50051 }]),
    deployment(namespace, { name: 'reviews', args: ['grpc', '50051'], replicas: 2, readiness: tcpReady(50051) }),
  ]);
  await Promise.all(['web-v1', 'reviews'].map((name) => rolledOut(namespace, `deployment/${name}`)));
  return startLoad(namespace, [
    { url: 'http://web/', perSecond: 40 },
    { url: 'http://web/', perSecond: 10, fresh: true },
    { url: 'grpc://reviews:50051', perSecond: 10 },
  ]);
}

/** A policy for the web application: each answer shows the revision. */
export function revision(namespace: string, value: string): Manifest {
  const filters = [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-revision', value }] } }];
  return policy(namespace, 'web', 'web', { rules: [{ filters, backendRefs: [{ name: 'web', port: 80 }] }] });
}

/** Applies {@link revision}, and resolves once every answer comes by it. */
export async function revised(load: Load, namespace: string, value: string): Promise<void> {
  await until(`the policy ${value} is stored`, async () => apply([revision(namespace, value)], { timeoutMs: 20_000 }).then(() => true));
  const begin = performance.now();
  await until(
    `all answers show the revision ${value}`,
    async () => {
      const { revisions, versions } = await load.count();
      const answers = Object.values(versions).reduce((sum, count) => sum + count, 0);
      return answers > 0 && revisions[value] === answers;
    },
    { timeoutMs: 120_000, everyMs: 1000 },
  );
  process.stdout.write(`# a policy changed ${value}: all answers by it within ${((performance.now() - begin) / 1000).toFixed(1)} s\n`);
}

/** A policy that sends so many of a hundred requests to version v2, the others to v1. */
export function canary(namespace: string, percent: number): Manifest {
  const part = (version: string, weight: number) => ({ name: 'web', port: 80, weight, podSelector: { matchLabels: { version } } });
  return policy(namespace, 'web', 'web', { rules: [{ backendRefs: [part('v1', 100 - percent), part('v2', percent)] }] });
}
