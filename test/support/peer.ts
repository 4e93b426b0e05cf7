/** One client of a world without a network: requests go in as bytes, responses come out as bytes, one at a time. */
import { decode } from '../../src/envoy/decode.js';
import { encode } from '../../src/envoy/encode.js';
import type { ResourceType } from '../../src/envoy/resource.js';
import type { Any, DeltaDiscoveryRequest, DiscoveryRequest } from '../../src/envoy/types.js';
import { type Client, createClient } from '../../src/serve/client.js';
import { createDelta } from '../../src/serve/delta.js';
import type { Protocol } from '../../src/serve/protocol.js';
import { createSotw } from '../../src/serve/sotw.js';
import { resourceTypeOf, urlOf } from '../../src/serve/types.js';
import type { ClassOf } from '../../src/snapshot/scopes.js';
import { classOf, type World } from './world.js';

/** A response, reduced to what tests speak of. */
export interface Reply {
  readonly type: ResourceType;
  readonly nonce: string;
  /** `name` or, with {@link Peer.versions}, the names and versions of what was sent with a body. */
  readonly sent: readonly string[];
  readonly versions: ReadonlyMap<string, string>;
  /** The clusters that the routes of each sent virtual host name. */
  readonly clusters: ReadonlyMap<string, readonly string[]>;
  /** Virtual hosts that were answered without a body: there is none. */
  readonly bodyless: readonly string[];
  readonly removed: readonly string[];
}

/** A client without a network. */
export interface Peer<Request> {
  readonly client: Client;
  readonly request: (type: ResourceType, fields?: Omit<Request, 'type_url'>) => void;
  /** The next response that the transport would write. */
  readonly read: () => Reply | undefined;
  /** All of them. */
  readonly drain: () => readonly Reply[];
  /** As `drain`, each acknowledged as soon as it is read. */
  readonly settle: () => readonly Reply[];
  readonly ack: (reply: Reply) => void;
  readonly nack: (reply: Reply, message: string) => void;
  readonly wakes: () => number;
  readonly close: () => void;
}

/** A delta client of a world. */
export function deltaPeer(world: World, who: ClassOf<string> = classOf()): Peer<DeltaDiscoveryRequest> {
  const encodeRequest = (type: ResourceType, fields: DeltaDiscoveryRequest) =>
    encode('envoy.service.discovery.v3.DeltaDiscoveryRequest', { type_url: urlOf(type), ...fields });
  return peer<DeltaDiscoveryRequest>(world, who, createDelta(), encodeRequest, readDelta);
}

/** A state-of-the-world client of a world, which repeats the names that it wants with each answer, as the protocol asks. */
export function sotwPeer(world: World, who: ClassOf<string> = classOf()): Peer<DiscoveryRequest> {
  const names = new Map<ResourceType, readonly string[]>();
  const encodeRequest = (type: ResourceType, fields: DiscoveryRequest) => {
    names.set(type, fields.resource_names ?? (fields.response_nonce ? (names.get(type) ?? []) : []));
    return encode('envoy.service.discovery.v3.DiscoveryRequest', { type_url: urlOf(type), ...fields, resource_names: [...(names.get(type) ?? [])] });
  };
  return peer<DiscoveryRequest>(world, who, createSotw(), encodeRequest, readSotw);
}

interface Answer {
  readonly response_nonce: string;
  readonly error_detail?: { readonly code: number; readonly message: string };
}

function peer<Request>(
  world: World,
  who: ClassOf<string>,
  protocol: Protocol,
  encodeRequest: (type: ResourceType, fields: Omit<Request, 'type_url'> | Answer) => Buffer,
  readReply: (bytes: Buffer) => Reply,
): Peer<Request> {
  let wakes = 0;
  let leave = () => {};
  const client = createClient(
    protocol.traits,
    (member) => {
      leave = () => world.scopes.leave(who, member);
      return world.scopes.join(who, member);
    },
    () => wakes++,
  );
  const give = (bytes: Buffer) => {
    for (const step of protocol.read(bytes).steps(client)) step();
  };
  const self: Peer<Request> = {
    client,
    request: (type, fields) => give(encodeRequest(type, fields ?? { response_nonce: '' })),
    read: () => {
      const before = wakes;
      for (let batch = client.next(); batch; batch = client.next()) {
        const bytes = protocol.write(client, batch);
        if (bytes) return readReply(bytes);
      }
      return wakes > before ? self.read() : undefined;
    },
    drain: () => all(self.read),
    settle: () =>
      all(() => {
        const reply = self.read();
        if (reply) self.ack(reply);
        return reply;
      }),
    ack: ({ type, nonce }) => give(encodeRequest(type, { response_nonce: nonce })),
    nack: ({ type, nonce }, message) => give(encodeRequest(type, { response_nonce: nonce, error_detail: { code: 3, message } })),
    wakes: () => wakes,
    close: () => {
      client.close();
      leave();
    },
  };
  return self;
}

function all(read: () => Reply | undefined): readonly Reply[] {
  const replies: Reply[] = [];
  for (let reply = read(); reply; reply = read()) {
    replies.push(reply);
    if (replies.length > 10_000) throw new Error('the client is sent messages without end');
  }
  return replies;
}

/** Reduces a DeltaDiscoveryResponse. */
export function readDelta(bytes: Buffer): Reply {
  const { type_url = '', nonce = '', resources = [], removed_resources = [] } = decode('envoy.service.discovery.v3.DeltaDiscoveryResponse', bytes);
  const sent = resources.filter(({ resource }) => resource);
  const versions = new Map(sent.map(({ name = '', version = '' }) => [name, version]));
  const bodyless = resources.filter(({ resource }) => !resource).map(({ name = '' }) => name);
  const clusters = new Map(sent.map(({ name = '', resource }) => [name, clustersOf(resource)]));
  return { type: typeOf(type_url), nonce, sent: [...versions.keys()], versions, clusters, bodyless, removed: removed_resources };
}

/** Reduces a DiscoveryResponse; the version of each resource is its content. */
export function readSotw(bytes: Buffer): Reply {
  const { type_url = '', nonce = '', resources = [] } = decode('envoy.service.discovery.v3.DiscoveryResponse', bytes);
  const versions = new Map(resources.map((resource) => [nameOf(resource), JSON.stringify(resource)]));
  const clusters = new Map(resources.map((resource) => [nameOf(resource), clustersOf(resource)]));
  return { type: typeOf(type_url), nonce, sent: [...versions.keys()], versions, clusters, bodyless: [], removed: [] };
}

function nameOf(resource: Any): string {
  return String(resource['name'] ?? resource['cluster_name']);
}

function clustersOf(resource: Any | undefined): readonly string[] {
  if (resource?.['@type'] !== urlOf('VirtualHost')) return [];
  return [...JSON.stringify(resource).matchAll(/"cluster":"([^"]*)"/g)].map(([, cluster = '']) => cluster);
}

function typeOf(url: string): ResourceType {
  const type = resourceTypeOf(url);
  if (!type) throw new Error(`a response of type ${url}`);
  return type;
}

/** A reply in one line: `Cluster +a +b -c ?d`, where `?` is a virtual host without body. */
export function line({ type, sent, bodyless, removed }: Reply): string {
  return [type, ...sent.map((name) => `+${name}`), ...bodyless.map((name) => `?${name}`), ...removed.map((name) => `-${name}`)].join(' ');
}
