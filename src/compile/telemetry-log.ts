/** Access logs for people and log stores. Paths are told without their query, where secrets tend to be. */
import { type AccessLog, type Message, typed } from '../envoy/types.js';
import type { Telemetry } from '../model/telemetry.js';
import type { NamedCalls } from './telemetry-calls.js';
import { collectorService } from './telemetry-collector.js';

type Filter = Message<'envoy.config.accesslog.v3.AccessLogFilter'>;
type Fields = Readonly<Record<string, string>>;

/** The logs that the Mesh asks for: one, or none. */
export function logTo(calls: NamedCalls, { accessLog }: Telemetry): readonly AccessLog[] {
  if (accessLog.mode === 'Disabled') return [];
  const filter = accessLog.mode === 'Errors' ? { filter: failed(calls) } : {};
  return [{ ...(accessLog.output === 'Stdout' ? toStdout(fieldsOf(calls)) : toCollector(fieldsOf(calls))), ...filter }];
}

function fieldsOf({ direction, protocol, source, destination, fields }: NamedCalls): Fields {
  return { time: '%START_TIME%', direction, source, destination, ...(protocol === 'http' ? ofRequest : {}), ...ofConnection, ...fields };
}

const ofRequest: Fields = {
  method: '%REQ(:METHOD)%',
  authority: '%REQ(:AUTHORITY)%',
  path: '%PATH(NQ)%',
  protocol: '%PROTOCOL%',
  status: '%RESPONSE_CODE%',
  status_details: '%RESPONSE_CODE_DETAILS%',
  grpc_status: '%GRPC_STATUS_NUMBER%',
  request_id: '%REQ(X-REQUEST-ID)%',
  trace_id: '%TRACE_ID%',
};

const ofConnection: Fields = {
  flags: '%RESPONSE_FLAGS%',
  duration_ms: '%DURATION%',
  received_bytes: '%BYTES_RECEIVED%',
  sent_bytes: '%BYTES_SENT%',
  downstream: '%DOWNSTREAM_REMOTE_ADDRESS%',
  upstream: '%UPSTREAM_HOST%',
  upstream_failure: '%UPSTREAM_TRANSPORT_FAILURE_REASON%',
  termination: '%CONNECTION_TERMINATION_DETAILS%',
};

/** To a `/dev/stdout` that belongs to another user a proxy could not write by name. */
function toStdout(fields: Fields): AccessLog {
  return {
    name: 'envoy.access_loggers.stdout',
    typed_config: typed('envoy.extensions.access_loggers.stream.v3.StdoutAccessLog', { log_format: { json_format: fields } }),
  };
}

function toCollector(fields: Fields): AccessLog {
  const values = Object.entries(fields).map(([key, string_value]) => ({ key, value: { string_value } }));
  return {
    name: 'envoy.access_loggers.open_telemetry',
    typed_config: typed('envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig', {
      common_config: { log_name: 'weft', transport_api_version: 'V3', grpc_service: collectorService },
      attributes: { values },
    }),
  };
}

/** Every flag tells of a failure. Envoy takes an answer that is no gRPC for one of an unknown status. */
function failed({ protocol }: NamedCalls): Filter {
  if (protocol === 'tcp') return { response_flag_filter: {} };
  const status: Filter = { status_code_filter: { comparison: { op: 'GE', value: { default_value: 400, runtime_key: 'weft.access_log.least_status' } } } };
  const isGrpc: Filter = { header_filter: { header: { name: 'content-type', string_match: { prefix: 'application/grpc' } } } };
  const grpc: Filter = { and_filter: { filters: [isGrpc, { grpc_status_filter: { exclude: true, statuses: ['OK'] } }] } };
  return { or_filter: { filters: [status, { response_flag_filter: {} }, grpc] } };
}
