/** A small OpenTelemetry collector: what proxies send it over gRPC, read back. */
import * as grpc from '@grpc/grpc-js';
import { decode } from '../../src/envoy/decode.js';
import type { Message } from '../../src/envoy/types.js';
import type { Cleanup } from './envoy.js';

/** Attributes, each as text. */
type Attributes = Readonly<Record<string, string>>;

/** A span or a log record, in the words that matter to tests. */
export interface Told {
  /** The name of a span; empty for a log record. */
  readonly name: string;
  /** `SPAN_KIND_CLIENT`; empty for a log record. */
  readonly kind: string;
  /** As hexadecimal digits. */
  readonly traceId: string;
  readonly attributes: Attributes;
  readonly resource: Attributes;
}

/** A collector that listens on a port of 127.0.0.1. */
export interface TestCollector {
  readonly port: number;
  readonly spans: readonly Told[];
  readonly records: readonly Told[];
}

const traces = 'opentelemetry.proto.collector.trace.v1';
const logs = 'opentelemetry.proto.collector.logs.v1';

/** Starts one that is gone after the test. */
export async function startCollector(t: Cleanup): Promise<TestCollector> {
  const [spans, records]: [Told[], Told[]] = [[], []];
  const server = new grpc.Server();
  server.addService(exportOf(`/${traces}.TraceService/Export`), {
    export: answering((bytes) => spans.push(...spansIn(decode(`${traces}.ExportTraceServiceRequest`, bytes)))),
  });
  server.addService(exportOf(`/${logs}.LogsService/Export`), {
    export: answering((bytes) => records.push(...recordsIn(decode(`${logs}.ExportLogsServiceRequest`, bytes)))),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  t.after(async () => server.forceShutdown());
  return { port, spans, records };
}

/** An unary method whose messages are left as bytes; an empty answer says that all is well. */
function exportOf(path: string) {
  const same = (bytes: Buffer) => bytes;
  return {
    export: {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    },
  };
}

function answering(take: (bytes: Buffer) => void): grpc.handleUnaryCall<Buffer, Buffer> {
  return ({ request }, callback) => {
    take(request);
    callback(null, Buffer.alloc(0));
  };
}

function spansIn({ resource_spans = [] }: Message<'opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest'>): readonly Told[] {
  return resource_spans.flatMap(({ resource, scope_spans = [] }) =>
    scope_spans.flatMap(({ spans = [] }) =>
      spans.map(({ name = '', kind = '', trace_id = '', attributes }) => ({
        ...{ name, kind, traceId: hex(trace_id) },
        ...{ attributes: texts(attributes), resource: texts(resource?.attributes) },
      })),
    ),
  );
}

function recordsIn({ resource_logs = [] }: Message<'opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest'>): readonly Told[] {
  return resource_logs.flatMap(({ resource, scope_logs = [] }) =>
    scope_logs.flatMap(({ log_records = [] }) =>
      log_records.map(({ trace_id = '', attributes }) => ({
        ...{ name: '', kind: '', traceId: hex(trace_id) },
        ...{ attributes: texts(attributes), resource: texts(resource?.attributes) },
      })),
    ),
  );
}

function hex(bytes: Uint8Array | string): string {
  return Buffer.from(typeof bytes === 'string' ? Buffer.from(bytes, 'base64') : bytes).toString('hex');
}

function texts(attributes: readonly Message<'opentelemetry.proto.common.v1.KeyValue'>[] = []): Attributes {
  return Object.fromEntries(attributes.map(({ key = '', value = {} }) => [key, String(value.string_value ?? value.int_value ?? value.bool_value ?? '')]));
}
