/** A Kubernetes cluster as a source of changes. */
export type { KindState } from './kubernetes/reflector.js';
export { type ClusterWatch, watchCluster } from './kubernetes/watch.js';
