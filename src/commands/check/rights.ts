/** The rights of Weft's ServiceAccounts, as the chart grants them, and whether the API server still does. */
import type { KubeClient } from '../../kubernetes/api.js';
import { at } from './look.js';

/** What one process may do with some resources. */
export interface Grant {
  readonly account: 'weft-controller' | 'weft-injector';
  readonly group: string;
  /** `trafficpolicies`, or `trafficpolicies/status`. */
  readonly resource: string;
  readonly verbs: readonly string[];
  /** The only object that it is about; undefined for all of them. */
  readonly name?: string | undefined;
  /** Whether it holds in Weft's own namespace alone. */
  readonly inside: boolean;
}

const controller = cluster('weft-controller');
const injector = cluster('weft-injector');
const webhooks = 'admissionregistration.k8s.io';

/** Everything that the processes may do; test/apiserver/rbac.test.ts shows that they need each of it. */
export const grants: readonly Grant[] = [
  ...['services', 'pods', 'namespaces', 'nodes'].map((resource) => controller('', resource, ['list', 'watch'])),
  controller('discovery.k8s.io', 'endpointslices', ['list', 'watch']),
  ...['trafficpolicies', 'meshes'].map((resource) => controller('weft.dev', resource, ['get', 'list', 'watch'])),
  ...['trafficpolicies/status', 'meshes/status'].map((resource) => controller('weft.dev', resource, ['update'])),
  controller('events.k8s.io', 'events', ['create']),
  controller('authentication.k8s.io', 'tokenreviews', ['create']),
  controller('', 'configmaps', ['create']),
  controller('', 'configmaps', ['list', 'update', 'delete'], 'weft-ca'),
  controller(webhooks, 'validatingwebhookconfigurations', ['get', 'patch'], 'weft-controller'),
  ...['weft-ca', 'weft-webhook-ca'].map((name) => inside(controller('', 'secrets', ['get', 'update'], name))),
  inside(controller('coordination.k8s.io', 'leases', ['get', 'update'], 'weft-controller')),
  injector('', 'namespaces', ['list', 'watch']),
  injector(webhooks, 'mutatingwebhookconfigurations', ['get', 'patch'], 'weft-injector'),
  inside(injector('', 'secrets', ['get', 'update'], 'weft-webhook-ca')),
];

function cluster(account: Grant['account']) {
  return (group: string, resource: string, verbs: readonly string[], name?: string): Grant => ({ account, group, resource, verbs, name, inside: false });
}

function inside(grant: Grant): Grant {
  return { ...grant, inside: true };
}

/** What of a grant the API server refuses, in words; empty when nothing. Needs the right to create SubjectAccessReviews. */
export async function refusedOf(client: KubeClient, namespace: string, grant: Grant): Promise<readonly string[]> {
  const allowed = await Promise.all(grant.verbs.map((verb) => may(client, namespace, grant, verb)));
  const refused = grant.verbs.filter((_, index) => !allowed[index]);
  if (refused.length === 0) return [];
  const { account, group, resource, name } = grant;
  return [`${account} may not ${refused.join(', ')} ${resource}${group && `.${group}`}${name === undefined ? '' : ` ${name}`}`];
}

async function may(client: KubeClient, namespace: string, { account, group, resource: path, name, inside: isInside }: Grant, verb: string): Promise<boolean> {
  const [resource, subresource] = path.split('/');
  const attributes = { verb, group, resource, ...(subresource ? { subresource } : {}), ...(name === undefined ? {} : { name }) };
  const resourceAttributes = { ...attributes, ...(isInside ? { namespace } : {}) };
  const spec = { user: `system:serviceaccount:${namespace}:${account}`, resourceAttributes };
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
  const review = await client.request({ method: 'POST', path: '/apis/authorization.k8s.io/v1/subjectaccessreviews', body });
  return at(review, 'status', 'allowed') === true;
}
