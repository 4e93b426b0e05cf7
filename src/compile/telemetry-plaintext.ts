/**
 * Who calls in plaintext, for `weft check --strict-ready`: for each port and address a counter of how often it was
 * seen, and a gauge that tells when it was last. They are in a scope of their own that is bounded. Envoy forgets its counters when they are not used for long;
 * gauges it never forgets, so they tell nothing of whoever has no counter.
 */
import { type AccessLog, type Message, typed } from '../envoy/types.js';
import { maxPlaintextCallers, maxPlaintextTimes, plaintextPrefix, plaintextSightings } from '../model/plaintext.js';

type Config = Message<'envoy.extensions.access_loggers.stats.v3.Config'>;
type TcpOptions = Message<'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.TcpAccessLogOptions'>;
type HttpOptions = Message<'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.HcmAccessLogOptions'>;
type Filter = Message<'envoy.config.accesslog.v3.AccessLogFilter'>;
type LogType = NonNullable<Message<'envoy.config.accesslog.v3.LogTypeFilter'>['types']>[number];

/** When access logs are written: at the start, while it lasts, at the end. */
const moments = {
  http: { start: 'DownstreamStart', during: 'DownstreamPeriodic', end: 'DownstreamEnd' },
  tcp: { start: 'TcpConnectionStart', during: 'TcpPeriodic', end: 'TcpConnectionEnd' },
} as const;

const access_log_flush_interval = `${plaintextSightings}s` as const;

/** What has a filter write access logs at the start too, and while it lasts: a connection that never ends would not be seen otherwise. */
export const whileItLasts: { readonly tcp: TcpOptions; readonly http: HttpOptions } = {
  tcp: { flush_access_log_on_start: true, access_log_flush_interval },
  http: { flush_access_log_on_new_request: true, access_log_flush_interval },
};

/** An access log that counts who calls a port of the app, at the start of each call and as long as it lasts, and writes nothing. */
export function countPlaintext(port: number, protocol: 'http' | 'tcp'): AccessLog {
  const { start, during } = moments[protocol];
  const tags = [
    { name: 'port', value_format: String(port) },
    { name: 'source_address', value_format: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%' },
  ];
  const lastSeen = { stat: { name: 'last_seen_seconds', tags }, value_format: '%EMIT_TIME(%s)%' };
  const config: Config = {
    stats_scope,
    counters: [{ stat: { name: 'seen_total', tags }, value_fixed: 1 }],
    gauges: [start, during].map((log_type) => ({ ...lastSeen, set: { log_type } })),
  };
  return { name: 'envoy.access_loggers.stats', typed_config: typed('envoy.extensions.access_loggers.stats.v3.Config', config), filter: only(start, during) };
}

/** Access logs that are written at the end alone, as if there were no other moments. */
export function atTheEnd(logs: readonly AccessLog[], protocol: 'http' | 'tcp'): readonly AccessLog[] {
  const end = only(moments[protocol].end);
  return logs.map(({ filter, ...log }) => ({ ...log, filter: filter ? { and_filter: { filters: [end, filter] } } : end }));
}

function only(...types: readonly LogType[]): Filter {
  return { log_type_filter: { types } };
}

/** All of them share one scope, since they describe the same. */
const stats_scope: Config['stats_scope'] = {
  prefix: plaintextPrefix,
  sharing_name: `weft-${plaintextPrefix}`,
  max_counters: maxPlaintextCallers,
  max_gauges: maxPlaintextTimes,
  enable_eviction: true,
};
