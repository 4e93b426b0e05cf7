/** Names of workloads as SPIFFE writes them: https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md */

/** Who a workload is: all pods of a ServiceAccount are one. */
export interface Identity {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** `spiffe://<trust domain>/ns/<namespace>/sa/<ServiceAccount>`. */
export function spiffeId(trustDomain: string, { namespace, serviceAccount }: Identity): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

/** Whether both names can stand in a SPIFFE id (section 2.2): letters, digits, `.`, `-` and `_`, and no relative segments. What Kubernetes takes always can. */
export function isNameable({ namespace, serviceAccount }: Identity): boolean {
  return [namespace, serviceAccount].every((name) => /^[A-Za-z0-9._-]{1,253}$/.test(name) && name !== '.' && name !== '..');
}
