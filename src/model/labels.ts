/** Labels: which tell workloads apart, and which Services select them. */

/** The labels of an object, or those that a selector asks for. */
export type Labels = Readonly<Record<string, string>>;

/** Labels that differ between replicas of one workload, or between its revisions, and so do not tell workloads apart. */
const perReplicaLabels: ReadonlySet<string> = new Set([
  'pod-template-hash',
  'controller-revision-hash',
  'pod-template-generation',
  'statefulset.kubernetes.io/pod-name',
  'apps.kubernetes.io/pod-index',
  'batch.kubernetes.io/job-name',
  'batch.kubernetes.io/controller-uid',
  'batch.kubernetes.io/job-completion-index',
  'job-name',
  'controller-uid',
]);

/** The labels that all replicas of a workload share, in the order of their names. */
export function sharedLabels(labels: Labels): Labels {
  return Object.fromEntries(
    Object.entries(labels)
      .filter(([name]) => !perReplicaLabels.has(name))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Whether a selector selects what has these labels. A selector that asks for nothing selects nothing, as that of a Service does. */
export function selects(selector: Labels, labels: Labels): boolean {
  return Object.keys(selector).length > 0 && hasAll(labels, selector);
}

/** Whether a selector asks for a label that tells workloads apart. One that asks for a certain replica only does not say of which workload. */
export function selectsWorkloads(selector: Labels): boolean {
  return Object.keys(sharedLabels(selector)).length > 0;
}

/** Whether a selector selects a replica of the workload that shares these labels. */
export function selectsReplicas(selector: Labels, shared: Labels): boolean {
  return selectsWorkloads(selector) && hasAll(shared, sharedLabels(selector));
}

function hasAll(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([name, value]) => Object.hasOwn(labels, name) && labels[name] === value);
}

/** Under what a Service is filed that has this selector: one label of it, `shop/app=web`. Undefined where it selects no workload. */
export function filingOf(namespace: string, selector: Labels): string | undefined {
  const [first] = Object.entries(sharedLabels(selector));
  return first && `${namespace}/${first[0]}=${first[1]}`;
}

/** Under what all Services are filed that may select a workload with these labels. */
export function filingsOf(namespace: string, shared: Labels): readonly string[] {
  return Object.entries(shared).map(([name, value]) => `${namespace}/${name}=${value}`);
}
