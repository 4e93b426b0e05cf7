/** The sidecar: an Envoy that starts before the app and its init containers, and ends after them. */
import { healthPort } from '../model/sidecar-ports.js';
import type { PodOptions } from './annotations.js';
import { bootstrap } from './bootstrap.js';
import { podAddress } from './bootstrap-probes.js';
import { proxyUid } from './decision.js';
import { adminFolder, adminVolume, apiTokenFolder, emptyVolume, proxyName, trustFolder, trustVolume } from './names.js';
import type { Container } from './pod.js';
import { keyHeader, type Probe } from './probe.js';
import type { InjectSettings } from './settings.js';

/** What the sidecar of one pod is made from. */
export interface ProxyInput {
  readonly serviceAccount: string;
  readonly settings: InjectSettings;
  readonly options: PodOptions;
  /** What `/drain` and the probes ask for, of which only the kubelet is told. */
  readonly key: string;
  readonly probes: readonly Probe[];
}

/** `weft-proxy`. What the API server would fill in is written out, so that injecting again changes nothing. */
export function proxyContainer(input: ProxyInput): Container {
  const { settings, options } = input;
  const { cpu, memory, cpuLimit, memoryLimit } = options.resources;
  return {
    name: proxyName,
    image: settings.proxyImage,
    imagePullPolicy: 'IfNotPresent',
    restartPolicy: 'Always',
    command: ['envoy'],
    args: args(input),
    env: environment(input.serviceAccount),
    resources: { limits: { cpu: cpuLimit, memory: memoryLimit }, requests: { cpu, memory } },
    // The app's containers start once Envoy knows what it needs to serve them, however long that takes.
    startupProbe: ready({ periodSeconds: 1, failureThreshold: 3_600 }),
    readinessProbe: ready({ periodSeconds: 5, failureThreshold: 3 }),
    lifecycle: {
      preStop: { httpGet: { path: '/drain', port: healthPort, scheme: 'HTTP', httpHeaders: [{ name: keyHeader, value: input.key }] } },
    },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsGroup: proxyUid,
      runAsNonRoot: true,
      runAsUser: proxyUid,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [
      { name: trustVolume, mountPath: trustFolder, readOnly: true },
      { name: adminVolume, mountPath: adminFolder },
      { name: emptyVolume, mountPath: apiTokenFolder, readOnly: true },
    ],
  };
}

/** What Envoy and the arguments below take from it: who the proxy is, as telemetry names it. */
function environment(serviceAccount: string) {
  const attributes = [
    `service.name=${serviceAccount}`,
    'service.namespace=$(POD_NAMESPACE)',
    'k8s.namespace.name=$(POD_NAMESPACE)',
    'k8s.pod.name=$(POD_NAME)',
  ];
  return [
    field('POD_NAME', 'metadata.name'),
    field('POD_NAMESPACE', 'metadata.namespace'),
    field('POD_IP', 'status.podIP'),
    { name: 'POD_SERVICE_ACCOUNT', value: serviceAccount },
    { name: 'OTEL_RESOURCE_ATTRIBUTES', value: attributes.join(',') },
  ];
}

function field(name: string, fieldPath: string) {
  return { name, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } };
}

function ready({ periodSeconds, failureThreshold }: { readonly periodSeconds: number; readonly failureThreshold: number }) {
  return { httpGet: { path: '/ready', port: healthPort, scheme: 'HTTP' }, periodSeconds, failureThreshold, successThreshold: 1, timeoutSeconds: 2 };
}

/** Hot restart's sockets are the network namespace's, which the app shares. */
function args(input: ProxyInput): readonly string[] {
  const { settings, options } = input;
  const drainSeconds = Math.max(1, Math.ceil(options.drainDelayMs / 1_000));
  return [
    ...['--config-yaml', forKubelet(JSON.stringify(bootstrapOf(input)))],
    ...['--service-node', '$(POD_NAMESPACE)/$(POD_NAME)'],
    ...['--service-cluster', input.serviceAccount],
    ...['--concurrency', `${settings.concurrency}`],
    ...['--drain-time-s', `${drainSeconds}`],
    ...['--log-level', 'warn'],
    '--disable-hot-restart',
  ];
}

/** The kubelet replaces `$(NAME)` in arguments, which is meant for the pod's address alone, and `$$` by `$`. */
function forKubelet(text: string): string {
  return text.replaceAll('$', () => '$$').replaceAll(`$${podAddress}`, () => podAddress);
}

function bootstrapOf({ serviceAccount, settings, key, probes }: ProxyInput) {
  const { host, port, serverName } = settings.controlPlane;
  return bootstrap({
    proxy: { serviceAccount, labels: {}, zone: '', client: 'captured' },
    controlPlane: { host, port, tls: { serverName, caSecretFile: `${trustFolder}/ca.json` }, tokenSecretFile: `${trustFolder}/token.json` },
    adminSocket: `${adminFolder}/admin.sock`,
    health: { ipv6: settings.ipv6, drainKey: key, probes },
  });
}
