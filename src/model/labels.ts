/** Labels: which tell workloads apart, and which Services select them. */

/** The labels of an object, or those that a selector asks for. */
export type Labels = Readonly<Record<string, string>>;

/** Labels that differ between revisions of one workload, or come anew with each of its Jobs: nobody tells Pods apart by them for long. */
const perRevisionLabels: ReadonlySet<string> = new Set([
  'pod-template-hash',
  'controller-revision-hash',
  'pod-template-generation',
  'batch.kubernetes.io/job-name',
  'batch.kubernetes.io/controller-uid',
  'batch.kubernetes.io/job-completion-index',
  'job-name',
  'controller-uid',
]);

/** Labels by which a Service may be for one replica of a StatefulSet. Replicas come back with the same ones. */
const perReplicaLabels: ReadonlySet<string> = new Set(['statefulset.kubernetes.io/pod-name', 'apps.kubernetes.io/pod-index']);

/** The labels that all replicas of a workload share, in the order of their names. */
export function sharedLabels(labels: Labels): Labels {
  return without(labels, (name) => perRevisionLabels.has(name) || perReplicaLabels.has(name));
}

/** The labels by which Services tell Pods apart, in the order of their names: those that the replicas share, and the ordinals of a StatefulSet's. */
export function lastingLabels(labels: Labels): Labels {
  return without(labels, (name) => perRevisionLabels.has(name));
}

function without(labels: Labels, isLeftOut: (name: string) => boolean): Labels {
  return Object.fromEntries(
    Object.entries(labels)
      .filter(([name]) => !isLeftOut(name))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Whether a selector selects what has these labels. A selector that asks for nothing selects nothing, as that of a Service does. */
export function selects(selector: Labels, labels: Labels): boolean {
  return Object.keys(selector).length > 0 && hasAll(labels, selector);
}

/** Whether a selector asks for a label that lasts. One that asks for a certain revision only does not say of which workload. */
export function selectsWorkloads(selector: Labels): boolean {
  return Object.keys(lastingLabels(selector)).length > 0;
}

/** Whether a selector selects Pods with these {@link lastingLabels}, some revision of them at least. */
export function selectsLasting(selector: Labels, lasting: Labels): boolean {
  return selectsWorkloads(selector) && hasAll(lasting, lastingLabels(selector));
}

function hasAll(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([name, value]) => Object.hasOwn(labels, name) && labels[name] === value);
}

/** Under what a Service is filed that has this selector: one label of it, `shop/app=web`. Undefined where it selects no workload. */
export function filingOf(namespace: string, selector: Labels): string | undefined {
  const [first] = Object.entries(lastingLabels(selector));
  return first && `${namespace}/${first[0]}=${first[1]}`;
}

/** Under what all Services are filed that may select a workload with these labels. */
export function filingsOf(namespace: string, lasting: Labels): readonly string[] {
  return Object.entries(lasting).map(([name, value]) => `${namespace}/${name}=${value}`);
}
