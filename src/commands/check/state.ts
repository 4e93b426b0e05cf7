/** What Weft relies on in the cluster: its CRDs, its Lease, the rights of its ServiceAccounts. */
import { isDeepStrictEqual } from 'node:util';
import { printCrds } from '../../features/crd.js';
import type { KubeClient } from '../../kubernetes/api.js';
import { type Check, type Finding, failed, ok, warning } from './finding.js';
import { at, find, listAt, nameOf, numberAt, textAt } from './look.js';
import { grants, refusedOf } from './rights.js';

const customResources: Check = {
  name: 'CRDs',
  run: async ({ client }) => Promise.all(printCrds().map((ours) => judgeCrd(client, ours))),
};

async function judgeCrd(client: KubeClient, ours: unknown): Promise<Finding> {
  const name = nameOf(ours);
  const check = `CRD ${name}`;
  const theirs = await find(client, `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`);
  if (theirs === undefined) return failed(check, 'is missing', 'weft install, with crds.install=true; or weft crd | kubectl apply --server-side -f -');
  const conditions = listAt(theirs, 'status', 'conditions');
  const isServed = conditions.some((condition) => textAt(condition, 'type') === 'Established' && textAt(condition, 'status') === 'True');
  if (!isServed) return failed(check, 'is not served', `see its conditions: kubectl describe crd ${name}`);
  const [mine, live] = [ours, theirs].map((crd) => listAt(crd, 'spec', 'versions').map((version) => [textAt(version, 'name'), at(version, 'schema')]));
  if (isDeepStrictEqual(mine, live)) return ok(check, 'is served, with the schema of this version of Weft');
  return warning(check, 'has the schema of another version of Weft', 'upgrade what is older: weft install, or this program');
}

const lease: Check = {
  name: 'lease',
  run: async ({ client, namespace, now }) => {
    const found = await find(client, `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/weft-controller`);
    const holder = textAt(found, 'spec', 'holderIdentity');
    const remedy = 'status and trust bundles are written by its holder only; see the log of weft-controller';
    if (!holder) return [failed('lease', 'nobody holds the Lease weft-controller', remedy)];
    const age = now() - Date.parse(textAt(found, 'spec', 'renewTime'));
    // The clock of the holder may be a little off.
    const isOld = age > numberAt(found, 'spec', 'leaseDurationSeconds') * 1000 + 5_000;
    if (isOld) return [failed('lease', `${holder} last renewed it ${Math.round(age / 1000)} s ago`, remedy)];
    return [ok('lease', `held by ${holder}`)];
  },
};

const permissions: Check = {
  name: 'permissions of Weft',
  run: async ({ client, namespace }) => {
    const refused = (await Promise.all(grants.map((grant) => refusedOf(client, namespace, grant)))).flat();
    if (refused.length === 0) return [ok('permissions of Weft', 'both ServiceAccounts may do what they must')];
    return [failed('permissions of Weft', refused.join('; '), 'restore the roles and their bindings: weft install')];
  },
};

/** CRDs, Lease, rights. */
export const stateChecks: readonly Check[] = [customResources, lease, permissions];
