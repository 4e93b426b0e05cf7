/**
 * Counters and durations of calls, by Envoy's access logger of statistics. How many time series a proxy has is bounded twice:
 * every label has few values (a SPIFFE id that a certificate proves, a destination that is called, a class of codes, ...; never
 * a path, a method, a host or a header), and a proxy takes no further series once it has as many as here.
 */
import { type AccessLog, type Message, typed } from '../envoy/types.js';
import type { NamedCalls } from './telemetry-calls.js';

type Config = Message<'envoy.extensions.access_loggers.stats.v3.Config'>;
type Tag = Message<'envoy.extensions.access_loggers.stats.v3.Config.Tag'>;

/** For each direction of a proxy. What is left out is counted in `server.stats_overflow.counter` and `.histogram`. */
export const seriesLimits = { counters: 1_000, histograms: 200 };

/** The statistics that the sidecar's bootstrap lets through begin with it. */
const prefix = 'weft';

/** An access log that counts, and writes nothing. Filters that take the place of one another share their counters. */
export function countCalls(calls: NamedCalls): AccessLog {
  const config: Config = {
    stats_scope: { prefix, sharing_name: `${prefix}-${calls.direction}`, max_counters: seriesLimits.counters, max_histograms: seriesLimits.histograms },
    ...(calls.protocol === 'http' ? httpStats(calls) : tcpStats(calls)),
  };
  return { name: 'envoy.access_loggers.stats', typed_config: typed('envoy.extensions.access_loggers.stats.v3.Config', config) };
}

function httpStats(calls: NamedCalls): Config {
  const tags = [...who(calls), codeClass, grpcStatus, flags, { name: 'protocol', value_format: '%PROTOCOL%' }, ...more(calls)];
  return {
    counters: [{ stat: { name: 'requests_total', tags }, value_fixed: 1 }],
    histograms: [{ stat: { name: 'request_duration_milliseconds', tags: who(calls) }, unit: 'Milliseconds', value_format: '%DURATION%' }],
  };
}

/** Counted when a connection ends. */
function tcpStats(calls: NamedCalls): Config {
  const bytes = (name: string, value_format: string) => ({ stat: { name, tags: who(calls) }, value_format });
  return {
    counters: [
      { stat: { name: 'tcp_connections_closed_total', tags: [...who(calls), flags, ...more(calls)] }, value_fixed: 1 },
      bytes('tcp_received_bytes_total', '%BYTES_RECEIVED%'),
      bytes('tcp_sent_bytes_total', '%BYTES_SENT%'),
    ],
  };
}

function who({ direction, source, destination }: NamedCalls): readonly Tag[] {
  return [
    { name: 'direction', value_format: direction },
    { name: 'source', value_format: source },
    { name: 'destination', value_format: destination },
  ];
}

function more({ fields }: NamedCalls): readonly Tag[] {
  return Object.entries(fields).map(([name, value_format]) => ({ name, value_format }));
}

const flags: Tag = { name: 'response_flags', value_format: '%RESPONSE_FLAGS%' };

/** An app may answer with any three digits, or the caller be gone before it answers. */
const codeClass = limited({ name: 'response_code_class', value_format: '%RESP(:STATUS):1%xx' }, '[1-5]xx', 'none');

/** Empty for what is no gRPC; https://grpc.io/docs/guides/status-codes/ has 0 to 16, an app may send anything. */
const grpcStatus = limited({ name: 'grpc_status', value_format: '%GRPC_STATUS_NUMBER%' }, '[0-9]|1[0-6]|', 'other');

/** Puts one word in place of every value that the regular expression does not match. */
function limited(tag: Tag, regex: string, word: string): Tag {
  const input = typed('envoy.extensions.matching.common_inputs.stats.v3.StatTagValueInput', {});
  const update = typed('envoy.extensions.matching.actions.transform_stat.v3.TransformStat', { update_tag: { new_tag_value: word } });
  const known = { single_predicate: { input: { name: 'value', typed_config: input }, value_match: { safe_regex: { google_re2: {}, regex } } } };
  const on_match = { action: { name: 'replace', typed_config: update } };
  return { ...tag, rules: { matcher_list: { matchers: [{ predicate: { not_matcher: known }, on_match }] } } };
}
