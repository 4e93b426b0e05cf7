import type { Message } from '../../envoy/types.js';
import { optionalDuration } from '../duration.js';
import { defined } from '../fragment.js';
import type { ConsistentHash } from './schema.js';

type HashPolicy = Message<'envoy.config.route.v3.RouteAction.HashPolicy'>;

/** What is hashed, as Envoy says it. */
export function hashPolicy(hash: ConsistentHash): HashPolicy {
  if (hash.header) return { header: { header_name: hash.header.name.toLowerCase() } };
  if (hash.cookie) return { cookie: cookiePolicy(hash.cookie) };
  if (hash.queryParameter) return { query_parameter: { name: hash.queryParameter.name } };
  return { connection_properties: { source_ip: true } };
}

/** Without a `ttl` Envoy generates no cookie. */
function cookiePolicy({ name, path, ttl }: NonNullable<ConsistentHash['cookie']>): HashPolicy['cookie'] {
  return defined({ name, path, ttl: optionalDuration(ttl) });
}
