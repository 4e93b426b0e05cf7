/** Whether the namespaces that are meant to be meshed can be, and are. */
import type { KubeClient } from '../../kubernetes/api.js';
import { validity } from './certificate.js';
import { type Check, type CheckContext, type Finding, failed, ok, warning } from './finding.js';
import { at, find, findAll, nameOf, textAt } from './look.js';
import { installedVersion } from './workloads.js';

const label = 'weft.dev/inject';

const namespaces: Check = {
  name: 'namespaces',
  run: async (context) => {
    const labelled = await findAll(context.client, '/api/v1/namespaces', { labelSelector: label });
    const meshed = labelled.filter((namespace) => labelOf(namespace) === 'true');
    const strange = labelled.filter((namespace) => !['true', 'false'].includes(labelOf(namespace))).map(strangeLabel);
    if (meshed.length === 0) return [...strange, ok('namespaces', `none is meshed yet: kubectl label namespace NAME ${label}=true`)];
    const installed = await installedVersion(context, 'injector');
    return [...strange, ...(await Promise.all(meshed.map((namespace) => judge(context, namespace, installed)))).flat()];
  },
};

function labelOf(object: unknown): string {
  return textAt(object, 'metadata', 'labels', label);
}

function strangeLabel(namespace: unknown): Finding {
  const name = nameOf(namespace);
  const said = `has the label ${label}: ${JSON.stringify(labelOf(namespace))}, which says nothing, so its Pods get no sidecar`;
  return warning(`namespace ${name}`, said, `write true or false: kubectl label --overwrite namespace ${name} ${label}=true`);
}

async function judge({ client, namespace: own, now }: CheckContext, namespace: unknown, installed: string): Promise<readonly Finding[]> {
  const name = nameOf(namespace);
  const check = `namespace ${name}`;
  if (name === own) return [warning(check, "is Weft's own, which is never meshed", `remove the label: kubectl label namespace ${name} ${label}-`)];
  const level = textAt(namespace, 'metadata', 'labels', 'pod-security.kubernetes.io/enforce');
  if (level === 'baseline' || level === 'restricted')
    return [
      failed(
        check,
        `its Pod Security level ${level} forbids the capability NET_ADMIN, so no meshed Pod starts`,
        `enforce the level privileged there, or take the label away: kubectl label namespace ${name} ${label}-`,
      ),
    ];
  const pods = (await findAll(client, `/api/v1/namespaces/${name}/pods`)).filter(isRunning);
  const meshed = pods.filter((pod) => injectedBy(pod) !== '');
  const unmeshed = pods.filter((pod) => !meshed.includes(pod) && isWanted(pod));
  return [...unmeshedFinding(check, name, unmeshed), ...oldFinding(check, name, installed, meshed), await trust(client, check, name, meshed.length, now())];
}

function isRunning(pod: unknown): boolean {
  return !['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase'));
}

/** The version of Weft that has injected the pod; empty when none has. */
function injectedBy(pod: unknown): string {
  return textAt(pod, 'metadata', 'annotations', 'weft.dev/injected');
}

function isWanted(pod: unknown): boolean {
  return labelOf(pod) !== 'false' && at(pod, 'spec', 'hostNetwork') !== true;
}

function unmeshedFinding(check: string, name: string, pods: readonly unknown[]): readonly Finding[] {
  if (pods.length === 0) return [];
  const remedy = `they are older than the label, or the injector was away; ${restart(name)}`;
  return [warning(check, `${pods.length} Pods run without a sidecar: ${someOf(pods)}`, remedy)];
}

/** Sidecars of an earlier version go on working, but are not renewed by themselves. */
function oldFinding(check: string, name: string, installed: string, meshed: readonly unknown[]): readonly Finding[] {
  const others = meshed.filter((pod) => injectedBy(pod) !== installed);
  if (installed === '' || others.length === 0) return [];
  const said = `${others.length} Pods have the sidecar of another version of Weft than ${installed}: ${someOf(others)}`;
  return [warning(check, said, `they go on working; when it suits you, ${restart(name)}`)];
}

function someOf(pods: readonly unknown[]): string {
  return `${pods.slice(0, 3).map(nameOf).join(', ')}${pods.length > 3 ? ', ...' : ''}`;
}

function restart(namespace: string): string {
  return `start them again: kubectl rollout restart deployment,statefulset,daemonset --namespace ${namespace}`;
}

/** The ConfigMap by which sidecars know Weft; without it they wait. */
async function trust(client: KubeClient, check: string, name: string, meshed: number, now: number): Promise<Finding> {
  const configMap = await find(client, `/api/v1/namespaces/${name}/configmaps/weft-ca`);
  const remedy = 'weft-controller writes it within seconds; see the check of the Lease, and the log of its holder';
  if (configMap === undefined && meshed === 0) return ok(check, 'has no meshed Pods yet');
  if (configMap === undefined) return failed(check, 'has meshed Pods and no ConfigMap weft-ca, so they cannot start', remedy);
  const { state, message } = validity(textAt(configMap, 'data', 'ca.crt'), now);
  const said = `${meshed} meshed Pods, which trust ${message}`;
  if (state === 'valid') return ok(check, said);
  return state === 'soon' ? warning(check, said, remedy) : failed(check, said, remedy);
}

/** Labels, Pod Security, trust, Pods without sidecar. */
export const namespaceChecks: readonly Check[] = [namespaces];
