/** Which of a client's calls are made over mutual TLS. */
import { selectsWorkloads } from '../model/labels.js';
import type { Mesh } from '../model/mesh.js';
import { isMeshed } from '../model/mutual-tls.js';
import type { Endpoint, Service, ServicePort } from '../model/service.js';
import { spiffeId } from '../model/spiffe.js';
import type { Request } from './destination.js';
import type { Effective } from './effective.js';
import { stanzaOf } from './stanza.js';

/**
 * Whether a Cluster of the Service is made for mutual TLS: wherever an endpoint may ever take it, whether one does now or not. A
 * Cluster and its endpoints do not change in the same moment, and in between calls would fail, or be readable; so the Cluster
 * stays as it is, and only the endpoints say what they take. A client that is no captured sidecar has no certificate.
 */
export function isForMutualTls({ settings, audience }: Pick<Request, 'settings' | 'audience'>, { selector }: Pick<Service, 'selector'>): boolean {
  return settings.mtls && audience.client === 'captured' && selectsWorkloads(selector);
}

/** Whether the client uses mutual TLS with this port where an endpoint takes it. */
export function isMutual(request: Request, service: Service, effective: Effective): boolean {
  return isForMutualTls(request, service) && stanzaOf(effective, 'tls')?.mode !== 'Disabled';
}

/** Whether the endpoint takes it for this port. One whose number is not the Service's target was written by hand, and its sidecar knows nothing of that. */
export function takesMutualTls(service: Service, { name, targetPort }: ServicePort, endpoint: Endpoint): boolean {
  return isMeshed(service, endpoint) && (typeof targetPort === 'string' || endpoint.ports.get(name) === targetPort);
}

/** The SPIFFE ids of all who may answer for a Service. While there is nobody, one that nobody has: an empty list would allow everybody. */
export function idsOf(mesh: Mesh, { key, namespace }: Service): readonly string[] {
  const { trustDomain } = mesh.config();
  const ids = mesh.identities(key).map((serviceAccount) => spiffeId(trustDomain, { namespace, serviceAccount }));
  return ids.length > 0 ? ids : [`spiffe://${trustDomain}/nobody`];
}
