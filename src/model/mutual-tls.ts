/** Which calls are made over mutual TLS. */
import { selects, selectsWorkloads } from './labels.js';
import { splitKey } from './name.js';
import type { Endpoint, Service } from './service.js';

/**
 * Whether calls of the Service to this endpoint may go over mutual TLS: there is a sidecar, and it knows of the Service, since that
 * selects the Pod, by labels that the Pod's workload has. An endpoint that somebody has written by hand is called as it is.
 */
export function isMeshed({ namespace, selector }: Service, { proxy, pod, labels }: Endpoint): boolean {
  return proxy === 'Injected' && pod !== undefined && splitKey(pod).namespace === namespace && selectsWorkloads(selector) && selects(selector, labels);
}
