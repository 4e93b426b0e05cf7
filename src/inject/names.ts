/** The names of all that injection adds to a pod. */

/** The init container that sets the redirect rules. */
export const initName = 'weft-init';
/** The sidecar. */
export const proxyName = 'weft-proxy';
/** The volume with what the sidecar needs to reach its control plane. */
export const trustVolume = 'weft';
/** The volume in memory for the socket of Envoy's admin interface. */
export const adminVolume = 'weft-admin';
/** The empty volume that keeps the token of the pod's ServiceAccount out of containers which have no use for it. */
export const emptyVolume = 'weft-empty';

/** Where {@link trustVolume} is mounted. */
export const trustFolder = '/var/run/weft';
/** Where {@link adminVolume} is mounted. */
export const adminFolder = '/var/run/weft-admin';
/** Where the API server's own admission mounts a ServiceAccount's token, unless something is mounted there. */
export const apiTokenFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Whether a container of this name is one that injection adds. */
export const isOurContainer = (name: string): boolean => name === initName || name === proxyName;
/** Whether a volume of this name is one that injection adds. */
export const isOurVolume = (name: string): boolean => name === trustVolume || name === adminVolume || name === emptyVolume;
