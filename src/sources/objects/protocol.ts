/** Which protocol a port of a Service speaks. It is declared and never sniffed, so each answer comes with its reason. */
import type { Protocol } from '../../model/service.js';

/** What a port says of itself. */
export interface DeclaredPort {
  readonly name?: string | undefined;
  readonly port: number;
  readonly appProtocol?: string | undefined;
}

/** The protocol of a port and why. */
export interface DetectedProtocol {
  readonly protocol: Protocol;
  readonly protocolReason: string;
}

/**
 * Names of protocols, for `appProtocol` and for port names: Istio's list, and `h2c`. TLS is carried as TCP, since what is
 * inside cannot be seen. grpc-web is GRPC, as Istio has it: what reaches the backend is HTTP/2.
 */
const byName: ReadonlyMap<string, Protocol> = new Map([
  ['http', 'HTTP'],
  ['http2', 'HTTP2'],
  ['h2c', 'HTTP2'],
  ['grpc', 'GRPC'],
  ['grpc-web', 'GRPC'],
  ['https', 'TCP'],
  ['tls', 'TCP'],
  ['tcp', 'TCP'],
  ['mongo', 'TCP'],
  ['mysql', 'TCP'],
  ['redis', 'TCP'],
  ['postgres', 'TCP'],
  ['postgresql', 'TCP'],
  ['amqp', 'TCP'],
  ['kafka', 'TCP'],
]);

/** The values of `appProtocol` that Kubernetes itself defines (KEP-3726). */
const byKubernetesName: ReadonlyMap<string, Protocol> = new Map([
  ['kubernetes.io/h2c', 'HTTP2'],
  ['kubernetes.io/ws', 'HTTP'],
  ['kubernetes.io/wss', 'TCP'],
]);

/**
 * Ports of a Service that are HTTP where nothing else is said. A wrong HTTP breaks a port and a wrong TCP costs only the
 * features of HTTP, so the list holds only numbers on which nothing but HTTP is common.
 */
const httpNumbers: ReadonlySet<number> = new Set([80, 3000, 8000, 8080, 8888]);

/** The protocol of a port: what `appProtocol` says, else the port's name or its part before the first `-`, else its number, else TCP. */
export function detectProtocol(port: DeclaredPort): DetectedProtocol {
  if (port.appProtocol) return fromAppProtocol(port.appProtocol);
  const named = port.name ? fromName(port.name) : undefined;
  if (named) return { protocol: named, protocolReason: `port name ${port.name}` };
  if (httpNumbers.has(port.port)) return { protocol: 'HTTP', protocolReason: `port number ${port.port}` };
  return { protocol: 'TCP', protocolReason: 'nothing said' };
}

function fromAppProtocol(appProtocol: string): DetectedProtocol {
  const lower = appProtocol.toLowerCase();
  const protocol = byKubernetesName.get(lower) ?? byName.get(lower);
  if (protocol) return { protocol, protocolReason: `appProtocol ${appProtocol}` };
  return { protocol: 'TCP', protocolReason: `appProtocol ${appProtocol}, which is unknown` };
}

function fromName(name: string): Protocol | undefined {
  const lower = name.toLowerCase();
  if (lower === 'grpc-web' || lower.startsWith('grpc-web-')) return byName.get('grpc-web');
  return byName.get(lower.split('-', 1)[0] ?? '');
}
