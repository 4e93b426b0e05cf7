/** The API server as a Pod sees it: its address from the environment, its authority and a token from files that the kubelet renews. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Endpoint, keepForAWhile } from './endpoint.js';

/** What a Pod is told of its cluster. */
export interface InCluster {
  /** An IP address or a name: `KUBERNETES_SERVICE_HOST`. */
  readonly host: string;
  /** `KUBERNETES_SERVICE_PORT`. */
  readonly port: string;
  /** Holds `token` and `ca.crt`; the kubelet's usual place unless given. */
  readonly folder?: string | undefined;
}

const usualFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Whether the ServiceAccount's files are there; a Pod may have opted out of them. */
export function hasServiceAccount({ folder = usualFolder }: InCluster): boolean {
  return existsSync(join(folder, 'token'));
}

/** The API server of the cluster that this process runs in. Token and authority are read anew twice a minute. */
export function inClusterEndpoint({ host, port, folder = usualFolder }: InCluster): Endpoint {
  const read = async () => {
    const [token, ca] = await Promise.all(['token', 'ca.crt'].map((file) => readFile(join(folder, file), 'utf8')));
    return { headers: { authorization: `Bearer ${token?.trim()}` }, tls: { ca } };
  };
  return { server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`, credentials: keepForAWhile(read) };
}
