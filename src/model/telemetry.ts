/** What proxies tell of the calls that they carry, as the `Mesh` object says. */

/** A server that takes OpenTelemetry's gRPC (OTLP). */
export interface Collector {
  /** A DNS name or an IP address. */
  readonly host: string;
  readonly port: number;
}

/** What of the calls is counted, logged and traced. */
export interface Telemetry {
  /** Counters and durations of calls by who calls whom. */
  readonly metrics: { readonly mode: 'Enabled' | 'Disabled' };
  /** A line, or a record, for each call (`All`), or for each that fails (`Errors`). */
  readonly accessLog: { readonly mode: 'Disabled' | 'Errors' | 'All'; readonly output: 'Stdout' | 'OpenTelemetry' };
  /** Undefined: nothing is traced. Needs a collector. */
  readonly tracing?: {
    /** Of a hundred calls that come without a trace so many begin one; 0.01 is one of ten thousand. */
    readonly samplingPercent: number;
  };
  /** Where traces, and logs with the output `OpenTelemetry`, go. */
  readonly collector?: Collector;
}

/** What holds without a word in the Mesh object. */
export const defaultTelemetry: Telemetry = { metrics: { mode: 'Enabled' }, accessLog: { mode: 'Disabled', output: 'Stdout' } };
