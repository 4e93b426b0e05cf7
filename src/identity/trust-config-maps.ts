/** The ConfigMap with what a sidecar must know to trust its control plane, in every namespace that has meshed pods. Written by one replica. */
import { type KubeClient, KubeError } from '../kubernetes/api.js';
import { isPlain, listOf, textOf } from '../kubernetes/plain.js';
import { fingerprintOf, readCertificates } from './pem.js';
import type { TrustView } from './rotation-decision.js';

/** The name of the ConfigMap. */
const trustConfigMap = 'weft-ca';

/** What says that a ConfigMap is Weft's. */
const label = { name: 'app.kubernetes.io/managed-by', value: 'weft' };

/** The cluster-scoped object with which the ConfigMaps go away, by the cluster's garbage collection. */
export interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  /** The plural in the paths of the API, in lower case. */
  readonly resource: string;
  readonly name: string;
}

/** The chart's own: uninstalling the release removes it. */
const trustOwner: Owner = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  resource: 'validatingwebhookconfigurations',
  name: 'weft-controller',
};

/** What is to be published where. */
export interface TrustOptions {
  readonly client: KubeClient;
  /** The content of the ConfigMap: the text of each key. */
  readonly data: Readonly<Record<string, string>>;
  /** The namespaces that want it. In others it is removed. */
  readonly namespaces: Iterable<string>;
  readonly owner?: Owner | undefined;
}

/** What has been done. */
export interface TrustReport {
  readonly written: readonly string[];
  readonly removed: readonly string[];
  /** Where it did not succeed, and why; the next run tries again. */
  readonly failed: readonly { readonly namespace: string; readonly error: string }[];
}

type Found = Readonly<Record<string, unknown>>;
type Outcome = 'written' | 'removed' | 'same';

const atOnce = 8;

/**
 * Brings every namespace to what is wanted, touching only what differs; a namespace that is being deleted is left alone, and
 * what is not Weft's is reported. To be run at each change, and now and then, since somebody may have changed a ConfigMap.
 * Rejects when the API server cannot even be asked for what there is. Needs list, update and delete on ConfigMaps of
 * the name `weft-ca`, create on ConfigMaps, and get on the owner.
 */
export async function publishTrust(options: TrustOptions): Promise<TrustReport> {
  const { client, data, namespaces, owner = trustOwner } = options;
  const [existing, reference] = await Promise.all([listAll(client), referenceTo(client, owner)]);
  const wanted = new Set(namespaces);
  const labels = { [label.name]: label.value };
  const body = { data, metadata: { name: trustConfigMap, labels, ownerReferences: reference ? [reference] : [] } };
  const tasks = [
    ...[...wanted].map((namespace) => ({ namespace, run: () => put(client, namespace, existing.get(namespace), body) })),
    ...[...existing]
      .filter(([namespace, found]) => !wanted.has(namespace) && isOurs(found))
      .map(([namespace]) => ({ namespace, run: () => remove(client, namespace) })),
  ];
  const outcomes: (readonly [string, Outcome | Error])[] = [];
  for (let index = 0; index < tasks.length; index += atOnce) {
    const some = tasks.slice(index, index + atOnce).map(async ({ namespace, run }) => [namespace, await run().catch(asError)] as const);
    outcomes.push(...(await Promise.all(some)));
  }
  return reportOf(outcomes);
}

/** What the ConfigMaps of Weft hold; those of others, of that name, are none. Needs list on ConfigMaps of that name. */
export async function publishedTrust(client: KubeClient): Promise<readonly TrustView[]> {
  const ours = [...(await listAll(client))].filter(([, found]) => isOurs(found));
  return ours.map(([namespace, { data }]) => {
    try {
      return { namespace, roots: readCertificates(textOf(data, 'ca.crt')).map(fingerprintOf) };
    } catch {
      return { namespace, roots: [], problem: 'holds something that is no certificate' };
    }
  });
}

/** Whether there is such a ConfigMap of Weft anywhere: then there has been an authority. Needs list on ConfigMaps of that name. */
export async function isTrustPublished(client: KubeClient): Promise<boolean> {
  return [...(await listAll(client)).values()].some(isOurs);
}

function reportOf(outcomes: readonly (readonly [string, Outcome | Error])[]): TrustReport {
  const having = (outcome: Outcome) => outcomes.filter(([, found]) => found === outcome).map(([namespace]) => namespace);
  const failed = outcomes.flatMap(([namespace, found]) => (found instanceof Error ? [{ namespace, error: found.message }] : []));
  return { written: having('written'), removed: having('removed'), failed };
}

/** By namespace. One request, whatever the number of namespaces. */
async function listAll(client: KubeClient): Promise<ReadonlyMap<string, Found>> {
  const list = await client.request({ method: 'GET', path: '/api/v1/configmaps', query: { fieldSelector: `metadata.name=${trustConfigMap}` } });
  return new Map(
    listOf(list, 'items')
      .filter(isPlain)
      .map((item) => [textOf(item['metadata'], 'namespace'), item]),
  );
}

/** Undefined while there is no owner, as where Weft runs outside the cluster. */
async function referenceTo(client: KubeClient, { apiVersion, kind, resource, name }: Owner): Promise<object | undefined> {
  const owner = await client.request({ method: 'GET', path: `/apis/${apiVersion}/${resource}/${name}` }).catch(unlessStatus(404));
  const uid = isPlain(owner) ? textOf(owner['metadata'], 'uid') : '';
  return uid ? { apiVersion, kind, name, uid } : undefined;
}

interface Body {
  readonly data: Readonly<Record<string, string>>;
  readonly metadata: { readonly ownerReferences: readonly object[] };
}

async function put(client: KubeClient, namespace: string, found: Found | undefined, body: Body): Promise<Outcome> {
  if (!found) return create(client, namespace, body);
  if (!isOurs(found))
    throw new Error(
      `ConfigMap ${namespace}/${trustConfigMap} is there and not of Weft; delete it or give it another name, so that sidecars find the authority`,
    );
  if (isSame(found, body)) return 'same';
  const resourceVersion = textOf(found['metadata'], 'resourceVersion');
  await client.request({ method: 'PUT', path: pathOf(namespace), body: { ...body, metadata: { ...body.metadata, resourceVersion } } });
  return 'written';
}

/** 403 with this reason is how the API server refuses in a namespace that is being deleted; 404, when it is gone. */
async function create(client: KubeClient, namespace: string, body: object): Promise<Outcome> {
  try {
    await client.request({ method: 'POST', path: `/api/v1/namespaces/${namespace}/configmaps`, body });
    return 'written';
  } catch (error) {
    const isGoing = error instanceof KubeError && (error.status === 404 || (error.status === 403 && /being terminated/.test(error.message)));
    if (isGoing) return 'same';
    throw error;
  }
}

async function remove(client: KubeClient, namespace: string): Promise<Outcome> {
  await client.request({ method: 'DELETE', path: pathOf(namespace) }).catch(unlessStatus(404));
  return 'removed';
}

function isOurs({ metadata }: Found): boolean {
  return isPlain(metadata) && textOf(metadata['labels'], label.name) === label.value;
}

function isSame({ data, metadata }: Found, body: Body): boolean {
  const references = listOf(metadata, 'ownerReferences');
  const uids = (list: readonly unknown[]) => list.map((one) => textOf(one, 'uid')).join();
  return uids(references) === uids(body.metadata.ownerReferences) && sorted(data) === sorted(body.data);
}

function sorted(data: unknown): string {
  return JSON.stringify(isPlain(data) ? Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1)) : []);
}

function pathOf(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/configmaps/${trustConfigMap}`;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function unlessStatus(status: number): (error: unknown) => undefined {
  return (error) => {
    if (!(error instanceof KubeError && error.status === status)) throw error;
  };
}
