/**
 * What connection managers and tcp_proxies tell of the calls that they carry. Nothing here depends on who the proxy is: its
 * identity comes from its environment, so that all proxies share the same bytes.
 */
import type { AccessLog } from '../envoy/types.js';
import type { MeshConfig } from '../model/mesh-config.js';
import type { Service, ServicePort } from '../model/service.js';
import { type Calls, metadataKey, nameCalls } from './telemetry-calls.js';
import { logTo } from './telemetry-log.js';
import { countCalls } from './telemetry-metrics.js';

/** The settings that decide. */
export type TelemetryConfig = Pick<MeshConfig, 'trustDomain' | 'telemetry'>;

/** The access logs of a connection manager or tcp_proxy: what counts, and what writes, as the Mesh says. */
export function accessLogs(calls: Calls, { telemetry, trustDomain }: TelemetryConfig): readonly AccessLog[] {
  const named = nameCalls(calls, trustDomain);
  return [...(telemetry.metrics.mode === 'Enabled' ? [countCalls(named)] : []), ...logTo(named, telemetry)];
}

/** What labels and logs call a port of a Service: `reviews.shop.9080`. */
export function destinationName({ name, namespace }: Service, { port }: ServicePort): string {
  return `${name}.${namespace}.${port}`;
}

/** The metadata of a Cluster by which telemetry knows where calls go. */
export function destinationMetadata(destination: string) {
  return { metadata: { filter_metadata: { [metadataKey]: { destination } } } };
}

/** Where a call goes that leaves the mesh. */
export const outside = 'passthrough';
