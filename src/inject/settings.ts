/** What whoever runs the injector decides for all pods. */

/** The settings of injection. */
export interface InjectSettings {
  /** Weft's own version, which the annotation `weft.dev/injected` shows. */
  readonly version: string;
  /** A stock Envoy. */
  readonly proxyImage: string;
  /** The image with the script that sets the redirect rules. */
  readonly initImage: string;
  /** Where `weft-controller` serves ADS over TLS, and the name that its certificate must bear. */
  readonly controlPlane: { readonly host: string; readonly port: number; readonly serverName: string };
  /** Worker threads of Envoy. */
  readonly concurrency: number;
  /** What the sidecar asks for and may take, as Kubernetes quantities; a pod's annotations overrule them one by one. */
  readonly resources: ProxyResources;
  /** Milliseconds for which an app goes on serving after its pod was told to end, so that callers learn of it first. */
  readonly drainDelayMs: number;
  /** Whether the sidecar's health port is open for IPv6 too; off for nodes whose kernel has no IPv6. */
  readonly ipv6: boolean;
}

/** Kubernetes quantities. */
export interface ProxyResources {
  readonly cpu: string;
  readonly memory: string;
  readonly cpuLimit: string;
  readonly memoryLimit: string;
}

/** The settings that hold unless something else is said. */
export const defaultSettings: InjectSettings = {
  version: 'unknown',
  proxyImage: 'docker.io/envoyproxy/envoy:v1.40.0',
  initImage: 'weft.dev/weft-init:unknown',
  controlPlane: { host: 'weft-controller.weft-system.svc.cluster.local.', port: 15_010, serverName: 'weft-controller.weft-system.svc' },
  concurrency: 2,
  resources: { cpu: '50m', memory: '64Mi', cpuLimit: '2', memoryLimit: '512Mi' },
  drainDelayMs: 5_000,
  ipv6: true,
};
