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
 * Names of protocols, for `appProtocol` and for port names: Istio's list, `h2c`, `ws`, and the names of what else is common in
 * clusters, which tells on a number that is HTTP by itself. TLS is carried as TCP, since what is inside cannot be seen. grpc-web is
 * GRPC, as Istio has it: what reaches the backend is HTTP/2.
 */
const byName: ReadonlyMap<string, Protocol> = new Map([
  ...all('HTTP', ['http', 'ws']),
  ...all('HTTP2', ['http2', 'h2c']),
  ...all('GRPC', ['grpc', 'grpc-web']),
  ...all('TCP', ['tcp', 'tls', 'https', 'wss', 'dns', 'ssh', 'ftp', 'smtp', 'smtps', 'imap', 'imaps', 'pop3', 'pop3s', 'ldap', 'ldaps']),
  ...all('TCP', ['mysql', 'postgres', 'postgresql', 'mssql', 'oracle', 'mongo', 'mongodb', 'cassandra', 'cql', 'redis', 'memcached']),
  ...all('TCP', ['amqp', 'amqps', 'kafka', 'mqtt', 'mqtts', 'nats', 'zookeeper', 'thrift']),
]);

function all(protocol: Protocol, names: readonly string[]): readonly (readonly [string, Protocol])[] {
  return names.map((name) => [name, protocol] as const);
}

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

/** Numbers that are TCP in any case, as every number is that is not HTTP; the name only explains it to whoever asks. */
const tcpNumbers: ReadonlyMap<number, string> = new Map([
  ...numbered('TLS', [443, 8443]),
  ...numbered('SSH', [22]),
  ...numbered('DNS', [53]),
  ...numbered('mail', [25, 110, 143, 465, 587, 993, 995]),
  ...numbered('LDAP', [389, 636]),
  ...numbered('SQL Server', [1433]),
  ...numbered('MySQL', [3306]),
  ...numbered('PostgreSQL', [5432]),
  ...numbered('Redis', [6379]),
  ...numbered('MongoDB', [27_017]),
  ...numbered('Cassandra', [9042]),
  ...numbered('Memcached', [11_211]),
  ...numbered('AMQP', [5671, 5672]),
  ...numbered('Kafka', [9092]),
  ...numbered('MQTT', [1883, 8883]),
  ...numbered('NATS', [4222]),
  ...numbered('ZooKeeper', [2181]),
]);

function numbered(what: string, ports: readonly number[]): readonly (readonly [number, string])[] {
  return ports.map((port) => [port, what] as const);
}

/** The protocol of a port: what `appProtocol` says, else the port's name or its part before the first `-`, else its number, else TCP. */
export function detectProtocol(port: DeclaredPort): DetectedProtocol {
  if (port.appProtocol) return fromAppProtocol(port.appProtocol);
  const named = port.name ? fromName(port.name) : undefined;
  if (named) return { protocol: named, protocolReason: `port name ${port.name}` };
  if (httpNumbers.has(port.port)) return { protocol: 'HTTP', protocolReason: `port number ${port.port}` };
  const known = tcpNumbers.get(port.port);
  return { protocol: 'TCP', protocolReason: known ? `port number ${port.port}, ${known}` : 'nothing said' };
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
