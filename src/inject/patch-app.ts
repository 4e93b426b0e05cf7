/** What changes in the app's own containers: they serve on for a moment when the pod ends, and their TCP probes ask Envoy. */
import { type TcpProbe, tcpProbePath } from './bootstrap-probes.js';
import { type Container, type Fields, isFields, type PodSpec } from './pod.js';

const usualGraceSeconds = 30;
const healthPort = 15_021;

/** Seconds that the app's containers sleep before they are told to end: the delay, but at most half of what the pod is given to end. */
export function drainSeconds(spec: PodSpec, drainDelayMs: number): number {
  const most = Math.floor((spec.terminationGracePeriodSeconds ?? usualGraceSeconds) / 2);
  return Math.min(Math.ceil(drainDelayMs / 1_000), most);
}

/** The container with a pause before its end, so that nobody calls it any more by then; one with a hook of its own is left alone. */
export function withDrain(container: Container, seconds: number): Container {
  if (seconds <= 0 || container.lifecycle?.['preStop']) return container;
  return { ...container, lifecycle: { ...container.lifecycle, preStop: { sleep: { seconds } } } };
}

const probeFields = ['startupProbe', 'readinessProbe', 'livenessProbe'] as const;

/** A container whose TCP probes ask Envoy, and what Envoy has to know for that. Probes of the ports in `excluded` reach the app itself. */
export function withProbes(container: Container, excluded: readonly number[]): { readonly container: Container; readonly probes: readonly TcpProbe[] } {
  const found = probeFields.flatMap((field) => {
    const probe = container[field];
    const port = isFields(probe) ? probedPort(container, probe) : undefined;
    return isFields(probe) && port !== undefined && !excluded.includes(port) ? [{ field, probe, port }] : [];
  });
  const changed = found.map(({ field, probe, port }) => [field, rewritten(probe, port)]);
  return {
    container: changed.length > 0 ? { ...container, ...Object.fromEntries(changed) } : container,
    probes: found.map(({ probe, port }) => ({ port, periodSeconds: periodOf(probe) })),
  };
}

/** Each port once, in order, asked as often as its most frequent probe wants. */
export function mergeProbes(probes: readonly TcpProbe[]): readonly TcpProbe[] {
  const byPort = new Map<number, number>();
  for (const { port, periodSeconds } of probes) byPort.set(port, Math.min(periodSeconds, byPort.get(port) ?? periodSeconds));
  return [...byPort].sort(([a], [b]) => a - b).map(([port, periodSeconds]) => ({ port, periodSeconds }));
}

/** Also of a probe that has been rewritten before. One with a host of its own is not about this pod. */
function probedPort(container: Container, { tcpSocket, httpGet }: Fields): number | undefined {
  if (isFields(tcpSocket)) return tcpSocket['host'] ? undefined : portNumber(container, tcpSocket['port']);
  if (!isFields(httpGet) || httpGet['port'] !== healthPort) return undefined;
  const port = Number(/(\d+)$/.exec(String(httpGet['path']))?.[1]);
  return httpGet['path'] === tcpProbePath(port) ? port : undefined;
}

function portNumber({ ports = [] }: Container, port: unknown): number | undefined {
  const number = typeof port === 'string' ? ports.find(({ name }) => name === port)?.containerPort : port;
  return typeof number === 'number' && number >= 1 && number <= 65_535 ? number : undefined;
}

function rewritten({ tcpSocket: _, ...probe }: Fields, port: number): Fields {
  return { ...probe, httpGet: { path: tcpProbePath(port), port: healthPort, scheme: 'HTTP' } };
}

function periodOf({ periodSeconds }: Fields): number {
  return typeof periodSeconds === 'number' && periodSeconds >= 1 ? periodSeconds : 10;
}
