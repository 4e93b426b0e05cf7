/** What must hold before Weft is installed: that one may, and that nothing is in the way. */
import type { KubeClient } from '../../kubernetes/api.js';
import { type Check, type CheckContext, type Finding, failed, ok, warning } from './finding.js';
import { at, find, textAt } from './look.js';

interface Right {
  readonly group: string;
  readonly resource: string;
  /** Whether it lies in Weft's namespace. */
  readonly namespaced: boolean;
}

/** The kinds of object that the chart makes with its default values. */
export const needed: readonly Right[] = [
  ...['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'].map((resource) => cluster('admissionregistration.k8s.io', resource)),
  ...['clusterroles', 'clusterrolebindings'].map((resource) => cluster('rbac.authorization.k8s.io', resource)),
  cluster('apiextensions.k8s.io', 'customresourcedefinitions'),
  ...['secrets', 'services', 'serviceaccounts'].map((resource) => inside('', resource)),
  ...['roles', 'rolebindings'].map((resource) => inside('rbac.authorization.k8s.io', resource)),
  inside('apps', 'deployments'),
  inside('coordination.k8s.io', 'leases'),
  inside('networking.k8s.io', 'networkpolicies'),
  inside('policy', 'poddisruptionbudgets'),
];

function cluster(group: string, resource: string): Right {
  return { group, resource, namespaced: false };
}

function inside(group: string, resource: string): Right {
  return { group, resource, namespaced: true };
}

const permissions: Check = {
  name: 'permissions',
  run: async ({ client, namespace }) => {
    const exists = (await find(client, `/api/v1/namespaces/${namespace}`)) !== undefined;
    const rights = exists ? needed : [...needed, cluster('', 'namespaces')];
    const allowed = await Promise.all(rights.map((right) => mayCreate(client, namespace, right)));
    const missing = rights.filter((_, index) => !allowed[index]).map(({ group, resource }) => (group ? `${resource}.${group}` : resource));
    if (missing.length === 0) return [ok('permissions', `everything that the chart makes may be made (${rights.length} kinds)`)];
    return [failed('permissions', `not allowed to create ${missing.join(', ')}`, 'let an administrator of the cluster install Weft')];
  },
};

async function mayCreate(client: KubeClient, namespace: string, { group, resource, namespaced }: Right): Promise<boolean> {
  const resourceAttributes = { verb: 'create', group, resource, ...(namespaced ? { namespace } : {}) };
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } };
  const review = await client.request({ method: 'POST', path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', body });
  return at(review, 'status', 'allowed') === true;
}

/** The chart's objects without a namespace, which an earlier installation may have left. */
const leavings = [
  '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/weft-injector',
  '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/weft-controller',
  '/apis/rbac.authorization.k8s.io/v1/clusterroles/weft-controller',
  '/apis/rbac.authorization.k8s.io/v1/clusterroles/weft-injector',
  '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/weft-controller',
  '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/weft-injector',
];
const crds = ['trafficpolicies', 'meshes'].map((plural) => `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.weft.dev`);

const leftovers: Check = {
  name: 'leftovers',
  run: async (context) => {
    const found = (await Promise.all([...leavings, ...crds].map((path) => leftover(context, path)))).flat();
    return found.length > 0 ? found : [ok('leftovers', 'nothing of an earlier installation is in the way')];
  },
};

async function leftover({ client, namespace }: CheckContext, path: string): Promise<readonly Finding[]> {
  const object = await find(client, path);
  if (object === undefined) return [];
  const [resource = '', name = ''] = path.split('/').slice(-2);
  const owner = textAt(object, 'metadata', 'annotations', 'meta.helm.sh/release-namespace');
  if (crds.includes(path) && owner === namespace) return [];
  const said = `${resource}/${name} exists already${owner ? `, of a release in namespace ${owner}` : ''}`;
  if (crds.includes(path))
    return [
      warning(
        'leftovers',
        said,
        `install with --set crds.install=false to leave it, or delete it, and all its objects with it: kubectl delete ${resource} ${name}`,
      ),
    ];
  return [failed('leftovers', said, `uninstall that release (helm list --all-namespaces), or delete the object: kubectl delete ${resource} ${name}`)];
}

/** Permissions and leftovers. */
export const beforeChecks: readonly Check[] = [permissions, leftovers];
