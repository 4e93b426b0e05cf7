/** How an application ends when Kubernetes asks it to. */
import { once } from 'node:events';

/** Resolves when the kubelet wants this process to end. */
export async function toldToEnd(): Promise<void> {
  await once(process, 'SIGTERM');
}
