/** `connection`: how connections to a Service are made and how long they are kept. */
import { type Static, Type } from 'typebox';
import { envoyDuration, millis, optionalDuration } from '../duration.js';
import type { BackendContext, ClusterParts, Feature } from '../feature.js';
import { duration, object, whole } from '../fields.js';
import { defined } from '../fragment.js';

const schema = object('How connections to a Service are made and how long they are kept.', {
  connectTimeout: Type.Optional(duration('How long it may take to connect.', { min: '1ms', max: '1h', default: '5s' })),
  idleTimeout: Type.Optional(duration('How long an HTTP connection is kept without a call. `0s`: for ever.', { max: '24h', default: '1h' })),
  maxRequestsPerConnection: Type.Optional(
    whole('After so many calls an HTTP connection is closed. 0: never for this reason.', { min: 0, max: 1_000_000_000, default: 0 }),
  ),
  maxConnectionDuration: Type.Optional(
    duration('How old an HTTP connection may grow; calls under way end first. `0s`, or left out: as old as it likes.', { max: '720h' }),
  ),
});

type Connection = Static<typeof schema>;

/** The `connection` stanza. */
export const feature: Feature<'connection', typeof schema> = { name: 'connection', side: 'Client', schema, cluster };

/** Proxyless gRPC keeps its connections as it sees fit. */
function cluster({ connectTimeout, ...http }: Connection, { client, protocol }: BackendContext): ClusterParts {
  if (client === 'grpc') return {};
  const common = protocol === 'TCP' ? {} : commonOptions(http);
  return {
    ...(connectTimeout === undefined ? {} : { cluster: { connect_timeout: envoyDuration(connectTimeout) } }),
    ...(Object.keys(common).length === 0 ? {} : { httpProtocolOptions: { common_http_protocol_options: common } }),
  };
}

/** Envoy takes an idle timeout of 0s for none, and a duration of 0s for an instant one. */
function commonOptions({ idleTimeout, maxRequestsPerConnection, maxConnectionDuration }: Connection) {
  return defined({
    idle_timeout: optionalDuration(idleTimeout),
    max_requests_per_connection: maxRequestsPerConnection,
    max_connection_duration: maxConnectionDuration === undefined || millis(maxConnectionDuration) === 0 ? undefined : envoyDuration(maxConnectionDuration),
  });
}
