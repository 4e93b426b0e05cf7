/** Whether a pod gets a sidecar: it must be wanted, and it must be possible. */
import { sidecarPorts } from '../model/sidecar-ports.js';
import { injectLabel } from './annotations.js';
import type { Container, Pod } from './pod.js';

/** What is known of the namespace of a pod. */
export interface NamespaceFacts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Why a pod runs without a sidecar: nobody asked for one (`NotWanted`), or somebody did in words that are not understood, or it cannot have one. */
export type SkipReason = 'NotWanted' | 'UnknownLabel' | 'HostNetwork' | 'Windows' | 'StaticPod';

/** Why a pod is refused. */
export type DenyReason = 'PodSecurity' | 'ProxyUser' | 'ProxyPort' | 'BadAnnotation' | 'BadPod';

/** `message` is a sentence without its subject, the pod: `is not meshed: it runs on Windows`. */
export type Decision =
  | { readonly kind: 'skip'; readonly reason: SkipReason; readonly message: string }
  | { readonly kind: 'deny'; readonly reason: DenyReason; readonly message: string };

/** The user that Envoy runs as. */
export const proxyUid = 1337;

/** How to run a pod without a sidecar, for messages. */
export const optOut = `give the pod the label ${injectLabel}: "false" to run it without a sidecar`;

/** Why the pod stays as it is; undefined when nothing speaks against a sidecar. */
export function decide(pod: Pod, namespace: NamespaceFacts): Decision | undefined {
  return notWanted(pod, namespace) ?? impossible(pod) ?? forbidden(namespace) ?? sameUser(pod) ?? samePort(pod);
}

function notWanted({ metadata = {} }: Pod, namespace: NamespaceFacts): Decision | undefined {
  const own = metadata.labels?.[injectLabel];
  const value = own ?? namespace.labels[injectLabel];
  if (value === 'true') return undefined;
  const whose = own === undefined ? `namespace ${namespace.name}` : 'it';
  if (value === undefined)
    return skip('NotWanted', `is not wanted in the mesh: neither it nor namespace ${namespace.name} has the label ${injectLabel}: "true"`);
  if (value === 'false') return skip('NotWanted', `is not wanted in the mesh: ${whose} has the label ${injectLabel}: "false"`);
  return skip('UnknownLabel', `is not meshed: ${whose} has the label ${injectLabel}: ${JSON.stringify(value)}; write "true" or "false"`);
}

function impossible({ metadata = {}, spec }: Pod): Decision | undefined {
  const annotations = metadata.annotations ?? {};
  if (annotations['kubernetes.io/config.mirror'] !== undefined || (annotations['kubernetes.io/config.source'] ?? 'api') !== 'api')
    return skip('StaticPod', 'is not meshed: it is a static pod, which the kubelet runs from a file of its own');
  if (spec.hostNetwork === true)
    return skip('HostNetwork', 'is not meshed: it uses the network of its host (spec.hostNetwork), whose traffic is not its own to redirect');
  if (spec.os?.['name'] === 'windows' || spec.nodeSelector?.['kubernetes.io/os'] === 'windows') return skip('Windows', 'is not meshed: it runs on Windows');
  return undefined;
}

const podSecurity = 'pod-security.kubernetes.io/enforce';

/** Only rules that a container of the pod sets need this; rules set from outside, by a CNI plugin, would not. */
function forbidden({ name, labels }: NamespaceFacts): Decision | undefined {
  const level = labels[podSecurity];
  if (level !== 'baseline' && level !== 'restricted') return undefined;
  const why = `namespace ${name} has the label ${podSecurity}: "${level}", which forbids the capability NET_ADMIN, and the container weft-init needs it to redirect the pod's traffic`;
  return deny('PodSecurity', `${why}; set that label to "privileged" (baseline may stay as audit and warn), or ${optOut}`);
}

function sameUser({ spec }: Pod): Decision | undefined {
  const found = [...(spec.initContainers ?? []), ...spec.containers].find(
    ({ securityContext }) => (securityContext?.runAsUser ?? spec.securityContext?.runAsUser) === proxyUid,
  );
  if (!found) return undefined;
  const why = `container ${found.name} runs as user ${proxyUid}, which is the sidecar's, so that its traffic would not be redirected`;
  return deny('ProxyUser', `${why}; set securityContext.runAsUser to another number, or ${optOut}`);
}

function samePort({ spec }: Pod): Decision | undefined {
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    const port = takenPort(container);
    if (port === undefined) continue;
    const why = `container ${container.name} declares port ${port}, on which the sidecar listens (it takes ${sidecarPorts.join(', ')})`;
    return deny('ProxyPort', `${why}; let the app listen on another port, or ${optOut}`);
  }
  return undefined;
}

function takenPort({ ports = [] }: Container): number | undefined {
  return ports.find(({ containerPort, protocol = 'TCP' }) => protocol === 'TCP' && sidecarPorts.includes(containerPort))?.containerPort;
}

function skip(reason: SkipReason, message: string): Decision {
  return { kind: 'skip', reason, message };
}

function deny(reason: DenyReason, message: string): Decision {
  return { kind: 'deny', reason, message };
}
