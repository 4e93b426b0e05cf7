/** From `spec.telemetry` of a Mesh, as the schema has accepted it, to settings. */
import type { Static } from 'typebox';
import { defaultTelemetry, type Telemetry } from '../model/telemetry.js';
import type { Problem } from './problem.js';
import { telemetryDefaults, type telemetrySchema, withoutCollector } from './telemetry-schema.js';

type Raw = Static<typeof telemetrySchema>;

/** The settings, with defaults for those that are left out. */
export function toTelemetry({ metrics, accessLog, tracing, collector }: Raw = {}): Telemetry {
  return {
    metrics: { ...defaultTelemetry.metrics, ...metrics },
    accessLog: { ...defaultTelemetry.accessLog, ...accessLog },
    ...(tracing ? { tracing: { samplingPercent: telemetryDefaults.samplingPercent, ...tracing } } : {}),
    ...(collector ? { collector: { port: telemetryDefaults.collectorPort, ...collector } } : {}),
  };
}

/** What the API server refuses by the rules of the schema. */
export function telemetryProblems({ tracing, accessLog, collector }: Raw = {}): readonly Problem[] {
  if (collector) return [];
  const wrong = [...(tracing ? [withoutCollector.tracing] : []), ...(accessLog?.output === 'OpenTelemetry' ? [withoutCollector.accessLog] : [])];
  return wrong.map(({ field, message, remedy }) => ({ field: `spec.telemetry.${field}`, reason: 'Invalid', message, remedy }));
}
