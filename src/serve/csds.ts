/** The client status discovery service: what each proxy has been sent, has taken over, and has refused. */
import type { ResourceType } from '../envoy/resource.js';
import type { ClientConfig, ClientStatusRequest, ClientStatusResponse } from '../envoy/types.js';
import type { Client } from './client.js';
import type { Connection, Registry } from './registry.js';
import { isInFlight, type Subscription } from './subscription.js';
import { urlOf } from './types.js';

/** How one client stands with one resource. */
export interface HeldResource {
  readonly type: ResourceType;
  readonly name: string;
  /** The version that the client has, or is being sent; empty when it does not exist. */
  readonly version: string;
  readonly state: 'Synced' | 'Pending' | 'Rejected' | 'Absent';
  /** The refused version and the client's words, where the state is Rejected. */
  readonly refused?: { readonly version: string; readonly message: string } | undefined;
}

/** Every resource that a client wants or has, sorted by type and name. */
export function heldResources(client: Client): readonly HeldResource[] {
  return [...client.types].flatMap(([type, subscription]) => namesOf(subscription).map((name) => stateOf(client, type, subscription, name)));
}

function namesOf(subscription: Subscription): readonly string[] {
  return [...new Set([...subscription.held.keys(), ...subscription.explicit, ...subscription.refused.keys()])].sort();
}

function stateOf(client: Client, type: ResourceType, subscription: Subscription, name: string): HeldResource {
  const version = subscription.held.get(name)?.version ?? '';
  const refused = subscription.refused.get(name);
  const current = client.entry(type, name)?.current()?.version;
  // What was refused may have been changed since, and the client not been told yet.
  if (refused && (current === undefined || refused.versions.has(current))) return { type, name, version, state: 'Rejected', refused };
  if (!version) return { type, name, version, state: subscription.held.has(name) && current === undefined ? 'Absent' : 'Pending' };
  return { type, name, version, state: isInFlight(subscription, name) || current !== version ? 'Pending' : 'Synced' };
}

/** Whose content nobody is shown, not even its owner: it has it already. */
const secretTypes: ReadonlySet<ResourceType> = new Set(['Secret']);

const configStatus = { Synced: 'SYNCED', Pending: 'STALE', Rejected: 'ERROR', Absent: 'NOT_SENT' } as const;

/** The answer to a status request: the clients whose node id one of the matchers names, or all; in either case only those that the asker may see. */
export function clientStatus(registry: Registry, request: ClientStatusRequest, maySee: (connection: Connection) => boolean): ClientStatusResponse {
  const wanted = (request.node_matchers ?? []).flatMap(({ node_id }) => (node_id?.exact === undefined ? [] : [node_id.exact]));
  const matches = (connection: Connection) => (wanted.length === 0 || wanted.includes(connection.node.id ?? '')) && maySee(connection);
  const withContent = request.exclude_resource_contents !== true;
  return { config: [...registry.connections()].filter(matches).map((connection) => clientConfig(connection, withContent)) };
}

function clientConfig({ node, client }: Connection, withContent: boolean): ClientConfig {
  const generic_xds_configs = heldResources(client).map(({ type, name, version, state, refused }) => ({
    type_url: urlOf(type),
    name,
    version_info: version,
    config_status: configStatus[state],
    xds_config: withContent && !secretTypes.has(type) ? client.types.get(type)?.held.get(name)?.resource?.message : undefined,
    error_state: refused && { details: refused.message, version_info: refused.version },
  }));
  return { node, generic_xds_configs };
}
