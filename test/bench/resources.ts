/** What a client reads out of the resources that it is sent. */
import { all, fields, last } from './wire.js';

/** The types of resource that are played, by the short names of their services. */
export const types = ['cds', 'eds', 'lds', 'rds', 'vhds'] as const;
export type Type = (typeof types)[number];

/** Their type URLs. */
export const urls: Readonly<Record<Type, string>> = {
  cds: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  eds: 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
  lds: 'type.googleapis.com/envoy.config.listener.v3.Listener',
  rds: 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
  vhds: 'type.googleapis.com/envoy.config.route.v3.VirtualHost',
};

/** A resource of a delta response. */
export interface Received {
  readonly name: string;
  readonly version: string;
  readonly aliases: readonly string[];
  /** The serialized message; empty for a virtual host that does not exist. */
  readonly body: Buffer;
}

/** A DeltaDiscoveryResponse. */
export interface Response {
  readonly type: Type;
  readonly nonce: string;
  readonly resources: readonly Received[];
  readonly removed: readonly string[];
}

/** Reads a DeltaDiscoveryResponse. Throws an Error for a type that nobody asked for. */
export function readResponse(message: Buffer): Response {
  const url = last(message, 4).toString();
  const type = types.find((candidate) => urls[candidate] === url);
  if (!type) throw new Error(`a response of type ${JSON.stringify(url)}`);
  return { type, nonce: last(message, 5).toString(), resources: all(message, 2).map(readResource), removed: all(message, 6).map(String) };
}

function readResource(message: Buffer): Received {
  const aliases: string[] = [];
  const found: { name: string; version: string; body: Buffer } = { name: '', version: '', body: Buffer.alloc(0) };
  for (const { id, bytes } of fields(message)) {
    if (id === 1) found.version = bytes.toString();
    else if (id === 2) found.body = last(bytes, 2);
    else if (id === 3) found.name = bytes.toString();
    else if (id === 4) aliases.push(bytes.toString());
  }
  return { ...found, aliases };
}

/** The name under which a Cluster asks for its endpoints; undefined when it has none to ask for. */
export function edsNameOf({ name, body }: Received): string | undefined {
  let isEds = false;
  let service = '';
  for (const { id, number, bytes } of fields(body)) {
    if (id === 2) isEds = number === 3;
    else if (id === 3) service = last(bytes, 2).toString();
  }
  return isEds ? service || name : undefined;
}

/** The route configurations that a Listener asks for: filter chains, the default one, network filters, connection managers. */
export function routeNamesOf({ body }: Received): readonly string[] {
  const chains = [...all(body, 3), ...all(body, 25)];
  const managers = chains.flatMap((chain) => all(chain, 3)).map((filter) => last(filter, 4));
  const configs = managers.filter((any) => last(any, 1).toString().endsWith('.HttpConnectionManager')).map((any) => last(any, 2));
  const names = configs.map((config) => last(last(config, 3), 2).toString());
  return [...new Set(names.filter((name) => name !== ''))];
}

/** Whether a RouteConfiguration gets its virtual hosts on demand. */
export function hasVhds({ body }: Received): boolean {
  return all(body, 9).length > 0;
}

/** What is known of a VirtualHost. */
export interface VirtualHost {
  /** `ROUTES/HOST` for each host that it answers for. */
  readonly keys: readonly string[];
  readonly domains: readonly string[];
  /** Where its routes send requests to, each cluster once. */
  readonly clusters: readonly string[];
}

const virtualHosts = new Map<string, VirtualHost>();

/** Reads a VirtualHost; once for each content, however many clients are sent it. */
export function readVirtualHost(received: Received): VirtualHost {
  const id = `${received.name} ${received.version}`;
  const known = virtualHosts.get(id);
  if (known) return known;
  const { name, aliases, body } = received;
  const actions = all(body, 3).map((route) => last(route, 2));
  const clusters = actions.flatMap((action) => [last(action, 1), ...all(last(action, 3), 1).map((weighted) => last(weighted, 1))].map(String));
  const virtualHost = {
    keys: [...new Set([name, ...aliases])],
    domains: all(body, 2).map(String),
    clusters: [...new Set(clusters)].filter((cluster) => cluster !== ''),
  };
  virtualHosts.set(id, virtualHost);
  return virtualHost;
}

/** Whether Envoy finds the host (with or without its port) among the domains. */
export function answersFor({ domains }: VirtualHost, host: string): boolean {
  const bare = host.replace(/:\d+$/, '');
  return domains.some((domain) => domain === host || domain === bare || domain.includes('*'));
}
