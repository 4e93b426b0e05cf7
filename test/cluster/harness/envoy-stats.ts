/** The statistics of a sidecar, by which a test knows that traffic really went through it. */
import { getFromPod } from './kubectl.js';

/** Where sidecars show readiness and statistics. */
const healthPort = 15_021;

/** Statistics by name; those with labels by `name{label="value",...}` as Prometheus writes them. */
export type EnvoyStats = ReadonlyMap<string, number>;

/** All statistics of a pod's sidecar. */
export async function envoyStats(namespace: string, pod: string): Promise<EnvoyStats> {
  return parseMetrics(await getFromPod(namespace, pod, healthPort, '/stats/prometheus'));
}

/** Reads Prometheus' text format; comments are left out. */
export function parseMetrics(text: string): ReadonlyMap<string, number> {
  const samples = text.split('\n').flatMap((line): readonly (readonly [string, number])[] => {
    const [, name, value] = /^([a-zA-Z_:][^ {]*(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, Number(value)]];
  });
  return new Map(samples);
}

/** The sum of a statistic over all its labels that contain every one of these texts. */
export function total(stats: ReadonlyMap<string, number>, name: string, ...containing: readonly string[]): number {
  return [...stats].reduce((sum, [key, value]) => {
    const isIt = (key === name || key.startsWith(`${name}{`)) && containing.every((text) => key.includes(text));
    return isIt ? sum + value : sum;
  }, 0);
}

/** How many requests a sidecar has sent to a Service's port. */
export async function requestsTo(namespace: string, pod: string, service: string, port: number): Promise<number> {
  return total(await envoyStats(namespace, pod), 'envoy_cluster_upstream_rq_total', `destination="${service}.${namespace}.${port}"`);
}

/** How many connections a sidecar has made to a Service's port. */
export async function connectionsTo(namespace: string, pod: string, service: string, port: number): Promise<number> {
  return total(await envoyStats(namespace, pod), 'envoy_cluster_upstream_cx_total', `destination="${service}.${namespace}.${port}"`);
}
