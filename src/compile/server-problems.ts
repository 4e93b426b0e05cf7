/** What is wrong with server-side stanzas on the ports that they are about. */
import type { Feature, ServerProblem } from '../features/feature.js';
import { features } from '../features/gen/index.js';
import type { Diagnostic } from '../model/diagnostic.js';
import type { Mesh } from '../model/mesh.js';
import type { TrafficPolicy } from '../model/policy.js';
import type { Service, ServicePort } from '../model/service.js';
import { serverStanzas } from './server-stanzas.js';

const all: readonly Feature[] = features;

/** The problems of all policies with the ports of a Service. A port whose target has a name is told by its own number. */
export function serverProblems(mesh: Mesh, service: Service): readonly Diagnostic[] {
  return service.ports.flatMap((port) => problemsOf(mesh, service, port).map(({ stanza, problem }) => toDiagnostic(stanza, problem)));
}

/** What is said of a policy where the mesh has no identities: its server-side stanzas do nothing there. */
export function withoutIdentities({ namespace, name, stanzas }: TrafficPolicy): readonly Diagnostic[] {
  const object = { kind: 'TrafficPolicy', namespace, name };
  const idle = all.filter((feature) => feature.side === 'Server' && stanzas[feature.name] !== undefined);
  return idle.map((feature) => ({
    ...{ severity: 'warning', object, field: `spec.${feature.name}`, reason: 'UnsupportedValue' },
    message: 'has no effect, since Weft runs without identities, and proxies look into no call to their own app',
    remedy: 'start weft serve with --ca and --tokens',
  }));
}

function problemsOf(mesh: Mesh, service: Service, port: ServicePort) {
  const stanzas = serverStanzas(mesh, service, port);
  const number = typeof port.targetPort === 'number' ? port.targetPort : port.port;
  const { trustDomain } = mesh.config();
  const context = { protocol: port.protocol, namespace: service.namespace, service: service.name, port: number, trustDomain, isMtls: true };
  return all.flatMap((feature) => {
    const own = stanzas.get(feature.name) ?? [];
    return own.length > 0 ? (feature.server?.(own, context).problems ?? []).map((problem) => ({ stanza: feature.name, problem })) : [];
  });
}

function toDiagnostic(stanza: string, { policy: object, severity, field, message, remedy }: ServerProblem): Diagnostic {
  return { severity, object, field: `spec.${stanza}.${field}`, reason: 'Invalid', message, remedy };
}
