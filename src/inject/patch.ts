/** Pod in, meshed pod out: a function of its arguments alone. Injecting a pod that has been injected changes nothing. */
import { type BadAnnotation, injectedAnnotation, isBad, type PodOptions, readOptions } from './annotations.js';
import { type Decision, decide, type NamespaceFacts, optOut } from './decision.js';
import { isOurContainer, isOurVolume, proxyName } from './names.js';
import { drainSeconds, withDrain } from './patch-app.js';
import { initContainer } from './patch-init.js';
import { withProbes } from './patch-probes.js';
import { proxyContainer } from './patch-proxy.js';
import { volumes } from './patch-volumes.js';
import { type Container, fieldOf, nameOf, type Pod, type PodSpec } from './pod.js';
import { readPod } from './pod-check.js';
import { keyHeader, mergeProbes } from './probe.js';
import type { InjectSettings } from './settings.js';

/** What injection goes by besides the pod. */
export interface InjectContext {
  readonly namespace: NamespaceFacts;
  readonly settings: InjectSettings;
  /** Letters and digits that nobody can guess, new for each pod; an injected pod keeps the ones that it has. */
  readonly drainKey: string;
}

/** What becomes of a pod. A `message` begins with the pod's name and is for whoever made the pod. */
export type Injected = { readonly kind: 'patch'; readonly pod: Pod; readonly warnings: readonly string[] } | Decision;

/** Injects a Pod, or a pod template, out of JSON. */
export function inject(value: unknown, context: InjectContext): Injected {
  const pod = readPod(value);
  if (typeof pod === 'string') return { kind: 'deny', reason: 'BadPod', message: `this is no Pod that could be meshed: ${pod}` };
  const name = `pod ${nameOf(pod, context.namespace.name)}`;
  const bare = withoutOurs(pod);
  const decision = decide(bare, context.namespace);
  if (decision?.kind === 'skip') return { ...decision, message: `${name} ${decision.message}` };
  if (decision) return { ...decision, message: `${name} cannot be meshed: ${decision.message}` };
  const options = readOptions(pod, context.settings);
  if (isBad(options)) return badAnnotation(name, options);
  const key = keyOf(pod) ?? context.drainKey;
  const app = appContainers(bare.spec, options, key);
  const proxy = proxyContainer({
    serviceAccount: pod.spec.serviceAccountName || 'default',
    settings: context.settings,
    options,
    key,
    probes: app.probes,
  });
  const spec: PodSpec = {
    ...bare.spec,
    initContainers: [initContainer(context.settings, options), proxy, ...app.initContainers],
    containers: app.containers,
    volumes: [...(bare.spec.volumes ?? []), ...volumes],
  };
  const metadata = { ...pod.metadata, annotations: { ...pod.metadata?.annotations, [injectedAnnotation]: context.settings.version } };
  return { kind: 'patch', pod: { ...bare, metadata, spec }, warnings: warningsOf(name, pod.spec, context.settings) };
}

function badAnnotation(name: string, { annotation, value, expected }: BadAnnotation): Decision {
  const message = `${name} cannot be meshed: ${annotation} is ${JSON.stringify(value)}; it must be ${expected}. Correct it, or ${optOut}`;
  return { kind: 'deny', reason: 'BadAnnotation', message };
}

/** The pod as it was before it was injected, but for what the app's containers have been given. */
function withoutOurs(pod: Pod): Pod {
  const { initContainers = [], volumes: all = [], ...spec } = pod.spec;
  return {
    ...pod,
    spec: {
      ...spec,
      initContainers: initContainers.filter(({ name }) => !isOurContainer(name)),
      volumes: all.filter(({ name }) => !isOurVolume(name)),
    },
  };
}

function appContainers(spec: PodSpec, options: PodOptions, key: string) {
  const probed = (container: Container) => withProbes(container, options.excludeInboundPorts, key);
  const containers = spec.containers.map(probed);
  const initContainers = (spec.initContainers ?? []).map(probed);
  const seconds = drainSeconds(spec, options.drainDelayMs);
  return {
    containers: containers.map(({ container }) => withDrain(container, seconds)),
    initContainers: initContainers.map(({ container }) => container),
    probes: mergeProbes([...initContainers, ...containers].flatMap(({ probes }) => probes)),
  };
}

function keyOf({ spec }: Pod): string | undefined {
  const proxy = spec.initContainers?.find(({ name }) => name === proxyName);
  const keys = ['preStop', 'httpGet', 'httpHeaders'].reduce(fieldOf, proxy?.lifecycle);
  const header = Array.isArray(keys) ? keys.find((each: unknown) => fieldOf(each, 'name') === keyHeader) : undefined;
  const key = fieldOf(header, 'value');
  return typeof key === 'string' && /^[A-Za-z0-9]{16,64}$/.test(key) ? key : undefined;
}

function warningsOf(name: string, { dnsPolicy }: PodSpec, { controlPlane }: InjectSettings): readonly string[] {
  if (dnsPolicy !== 'None' && dnsPolicy !== 'Default') return [];
  return [`${name} has dnsPolicy ${dnsPolicy}: its sidecar starts only if the name servers of the pod know ${controlPlane.host}`];
}
