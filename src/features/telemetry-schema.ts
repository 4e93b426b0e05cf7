/** The schema of what proxies tell of the calls that they carry, a part of the Mesh. */
import { Type } from 'typebox';
import { defaultTelemetry } from '../model/telemetry.js';
import type { CelRule } from './cel.js';
import { type Form, object, oneOf, port, text } from './fields.js';

const { metrics, accessLog } = defaultTelemetry;

const hostForm: Form = {
  pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\\.?$|^[0-9a-f:.]*:[0-9a-f:.]*$',
  expected: 'a DNS name or an IP address',
  remedy: 'write a name such as otel-collector.monitoring.svc.cluster.local, without scheme, path or port',
};

/** What needs a collector, where none is said. */
export const withoutCollector = {
  tracing: {
    rule: '!has(self.tracing) || has(self.collector)',
    field: 'tracing',
    message: 'has nowhere to send traces',
    remedy: 'set collector, or remove tracing',
  },
  accessLog: {
    rule: "!has(self.accessLog) || self.accessLog.output != 'OpenTelemetry' || has(self.collector)",
    field: 'accessLog',
    message: 'has nowhere to send its records',
    remedy: 'set collector, or output: Stdout',
  },
} satisfies Readonly<Record<string, CelRule>>;

/** What holds inside `tracing` and `collector` where they are there. */
export const telemetryDefaults = { samplingPercent: 1, collectorPort: 4317 };

const samplingPercent = Type.Number({
  description: 'Of a hundred calls that come without a trace so many begin one; 0.01 is one of ten thousand. A call that comes with a trace goes on with it.',
  minimum: 0,
  maximum: 100,
  default: telemetryDefaults.samplingPercent,
});

/** `spec.telemetry` of a Mesh. */
export const telemetrySchema = object(
  'What proxies tell of the calls that they carry.',
  {
    metrics: Type.Optional(
      object('Counters and durations of calls by who calls whom, which Prometheus fetches from each proxy.', {
        mode: Type.Optional(oneOf('Whether calls are counted.', ['Enabled', 'Disabled'], { default: metrics.mode })),
      }),
    ),
    accessLog: Type.Optional(
      object('A line of JSON for a call, without its query, headers and body.', {
        mode: Type.Optional(
          oneOf('All: each call. Errors: each that was answered with a status of 400 or above, a gRPC error, or not at all.', ['Disabled', 'Errors', 'All'], {
            default: accessLog.mode,
          }),
        ),
        output: Type.Optional(
          oneOf('Stdout: on the standard output of the proxy. OpenTelemetry: as a record to the collector.', ['Stdout', 'OpenTelemetry'], {
            default: accessLog.output,
          }),
        ),
      }),
    ),
    tracing: Type.Optional(object('Traces of HTTP calls, by OpenTelemetry. Left out: none.', { samplingPercent: Type.Optional(samplingPercent) })),
    collector: Type.Optional(
      object("Where traces and log records go: a server that takes OpenTelemetry's gRPC (OTLP). Connections to it are in plaintext.", {
        host: text('A DNS name or an IP address.', { max: 253, form: hostForm }),
        port: Type.Optional(Type.Integer({ ...port('Its port.'), default: telemetryDefaults.collectorPort })),
      }),
    ),
  },
  withoutCollector.tracing,
  withoutCollector.accessLog,
);
