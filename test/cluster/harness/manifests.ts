/** Kubernetes objects of the applications that the tests run. */
import type { Manifest } from '../../support/manifests.js';

/** The images that scripts/cluster-images.mjs makes. */
export const images = { apps: 'localhost/weft-test/apps:dev', databases: 'localhost/weft-test/databases:dev' } as const;

/** A workload. */
export interface App {
  readonly name: string;
  /** Arguments of the `app` command: its role, and what the role wants. */
  readonly args?: readonly string[];
  /** Another image than that of the apps, and what it runs. */
  readonly other?: { readonly image: string; readonly command: readonly string[] };
  readonly replicas?: number;
  /** Beside `app: NAME`. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** The pod's own word on injection; that of its namespace holds unless given. */
  readonly isMeshed?: boolean | undefined;
  /** A path that tells whether the app is ready, and its port; ready when it runs, unless given. */
  readonly readiness?: Manifest;
  /** Further fields of the pod's spec. */
  readonly spec?: Manifest;
  /** Further fields of the container. */
  readonly container?: Manifest;
}

/** A port of a Service. */
export interface Port {
  readonly name: string;
  readonly port: number;
  readonly targetPort?: number;
  readonly protocol?: 'UDP';
}

/** What the pods of a workload are made from. */
export function podTemplate(app: App): Manifest {
  const { name, labels = {}, isMeshed } = app;
  const inject = isMeshed === undefined ? {} : { 'weft.dev/inject': String(isMeshed) };
  return { metadata: { labels: { app: name, ...labels, ...inject } }, spec: podSpec(app) };
}

function podSpec({ args = [], other, env = {}, readiness, spec = {}, container = {} }: App): Manifest {
  const variables = Object.entries(env).map(([name, value]) => ({ name, value }));
  const image = other ? { image: other.image, command: other.command } : { image: images.apps, args };
  const app = { name: 'app', ...image, imagePullPolicy: 'IfNotPresent', env: variables, ...(readiness ? { readinessProbe: readiness } : {}), ...container };
  return { terminationGracePeriodSeconds: 20, containers: [app], ...spec };
}

/** A Pod of its own. */
export function pod(namespace: string, app: App): Manifest {
  const { metadata, spec } = podTemplate(app);
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...Object(metadata), name: app.name, namespace }, spec };
}

/** A Deployment; its name is that of the app unless given. */
export function deployment(namespace: string, app: App, name = app.name): Manifest {
  const { name: label, labels = {}, replicas = 1 } = app;
  const selector = { matchLabels: { app: label, ...labels } };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace }, spec: { replicas, selector, template: podTemplate(app) } };
}

/** A Service of the pods `app: NAME`. */
export function service(namespace: string, name: string, ports: readonly Port[], headless = false): Manifest {
  const spec = { selector: { app: name }, ports, ...(headless ? { clusterIP: 'None' } : {}) };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec };
}

/** Ready when an HTTP server answers. */
export function httpReady(port: number): Manifest {
  return { httpGet: { path: '/ready', port }, periodSeconds: 1 };
}

/** Ready when something listens. */
export function tcpReady(port: number): Manifest {
  return { tcpSocket: { port }, periodSeconds: 1 };
}
