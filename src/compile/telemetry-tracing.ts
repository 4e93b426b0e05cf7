/** Traces by OpenTelemetry. */
import { type HttpConnectionManager, type Message, typed } from '../envoy/types.js';
import type { Telemetry } from '../model/telemetry.js';
import { collectorService } from './telemetry-collector.js';

type TypedExtension = Message<'envoy.config.core.v3.TypedExtensionConfig'>;

/** The fields of a connection manager that trace its calls; none where the Mesh asks for no traces. Spans are told apart by the listener's direction. */
export function tracing({ tracing: wanted, collector }: Telemetry): HttpConnectionManager {
  if (!wanted || !collector) return {};
  return {
    tracing: {
      provider: provider(wanted.samplingPercent),
      // The sampler decides.
      random_sampling: { value: 100 },
      custom_tags: [pathOnly],
    },
    request_id_extension: plainRequestId,
  };
}

/** Of the URL only the path: secrets tend to be in the query. */
const pathOnly: Message<'envoy.type.tracing.v3.CustomTag'> = { tag: 'http.url', value: '%PATH(NQ)%' };

/** The service's name, and the pod's, are in the environment of the proxy. */
function provider(samplingPercent: number): Message<'envoy.config.trace.v3.Tracing.Http'> {
  return {
    name: 'envoy.tracers.opentelemetry',
    typed_config: typed('envoy.config.trace.v3.OpenTelemetryConfig', {
      grpc_service: collectorService,
      resource_detectors: [environment],
      sampler: sampler(samplingPercent),
    }),
  };
}

const environment: TypedExtension = {
  name: 'envoy.tracers.opentelemetry.resource_detectors.environment',
  typed_config: typed('envoy.extensions.tracers.opentelemetry.resource_detectors.v3.EnvironmentResourceDetectorConfig', {}),
};

/** A trace that came goes on as whoever began it has decided; of the others, the same ones are sampled by every proxy. */
function sampler(percent: number): TypedExtension {
  const ratio = typed('envoy.extensions.tracers.opentelemetry.samplers.v3.TraceIdRatioBasedSamplerConfig', {
    sampling_percentage: { numerator: Math.round(percent * 10_000), denominator: 'MILLION' },
  });
  return {
    name: 'envoy.tracers.opentelemetry.samplers.parent_based',
    typed_config: typed('envoy.extensions.tracers.opentelemetry.samplers.v3.ParentBasedSamplerConfig', {
      wrapped_sampler: { name: 'envoy.tracers.opentelemetry.samplers.trace_id_ratio_based', typed_config: ratio },
    }),
  };
}

/** The sampling decision would otherwise be written into the app's own request id. */
const plainRequestId: HttpConnectionManager['request_id_extension'] = {
  typed_config: typed('envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig', { pack_trace_reason: false }),
};
