/** An ordinary application: what it is made of knows nothing of a mesh. */
import type { Manifest } from '../../support/manifests.js';
import { apply, rolledOut, waitFor } from './kubectl.js';
import { type App, deployment, httpReady, images, pod, podTemplate, service, tcpReady } from './manifests.js';

/** Its parts. */
export const shopApps = ['catalog', 'front', 'reviews', 'peers', 'redis', 'postgres', 'queue', 'holder', 'clock', 'client', 'db-client', 'report'] as const;
export type ShopApp = (typeof shopApps)[number];

/** Whether a part's pods are labelled for injection or against it; undefined leaves it to the namespace. */
export type Meshed = (app: ShopApp) => boolean | undefined;

const database = (command: string) => ({ image: images.databases, command: command.split(' ') });
const askCatalog = JSON.stringify({ http: { url: 'http://catalog/', insist: true } });

/** Deploys it and resolves once all of it is ready. */
export async function deployShop(namespace: string, isMeshed: Meshed): Promise<void> {
  await apply([...services(namespace), ...workloads(namespace, isMeshed)]);
  for (const name of ['catalog', 'front', 'reviews', 'redis', 'postgres', 'queue', 'holder', 'clock']) await rolledOut(namespace, `deployment/${name}`);
  await rolledOut(namespace, 'statefulset/peers');
  for (const name of ['client', 'db-client']) await waitFor(namespace, `pod/${name}`, 'condition=Ready');
}

function services(namespace: string): readonly Manifest[] {
  const http = [{ name: 'http', port: 80, targetPort: 8080 }];
  return [
    service(namespace, 'catalog', http),
    service(namespace, 'front', http),
    service(namespace, 'reviews', [{ name: 'grpc', port: 50051 }]),
    service(namespace, 'peers', [{ name: 'http', port: 8080 }], true),
    service(namespace, 'redis', [{ name: 'redis', port: 6379 }]),
    service(namespace, 'postgres', [{ name: 'postgres', port: 5432 }]),
    service(namespace, 'queue', [{ name: 'tcp', port: 7000 }]),
    service(namespace, 'clock', [{ name: 'udp', port: 5353, protocol: 'UDP' }]),
  ];
}

function workloads(namespace: string, isMeshed: Meshed): readonly Manifest[] {
  const app = (name: ShopApp, more: Omit<App, 'name'>): App => ({ name, isMeshed: isMeshed(name), ...more });
  const web = { args: ['http', '8080'], readiness: httpReady(8080) };
  const asker = { name: 'ask', image: images.apps, imagePullPolicy: 'IfNotPresent', args: ['call', askCatalog] };
  return [
    deployment(namespace, app('catalog', { ...web, replicas: 2 })),
    deployment(namespace, app('front', { ...web, spec: { initContainers: [asker] } })),
    deployment(namespace, app('reviews', { args: ['grpc', '50051'], readiness: tcpReady(50051) })),
    statefulSet(namespace, app('peers', { ...web, replicas: 2 })),
    deployment(namespace, app('redis', { other: database('redis-server --protected-mode no --save'), readiness: tcpReady(6379) })),
    deployment(namespace, app('postgres', { other: database('serve-postgres'), readiness: tcpReady(5432) })),
    deployment(namespace, app('queue', { args: ['tcp', '7000'], readiness: tcpReady(7000) })),
    deployment(namespace, app('holder', { args: ['hold', 'queue:7000'] })),
    deployment(namespace, app('clock', { args: ['udp', '5353'] })),
    pod(namespace, app('client', { args: ['idle'] })),
    pod(namespace, app('db-client', { other: database('sleep infinity') })),
    cronJob(namespace, app('report', { args: ['call', askCatalog], spec: { restartPolicy: 'Never' } })),
  ];
}

function statefulSet(namespace: string, app: App): Manifest {
  const selector = { matchLabels: { app: app.name } };
  const spec = { serviceName: app.name, replicas: app.replicas, podManagementPolicy: 'Parallel', selector, template: podTemplate(app) };
  return { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: app.name, namespace }, spec };
}

/** Due at New Year: the test makes a Job of it by hand. */
function cronJob(namespace: string, app: App): Manifest {
  const spec = { schedule: '0 0 1 1 *', jobTemplate: { spec: { backoffLimit: 0, template: podTemplate(app) } } };
  return { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: app.name, namespace }, spec };
}
