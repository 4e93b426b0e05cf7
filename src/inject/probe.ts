/**
 * The probes that the sidecar answers in the app's place, and the paths by which the kubelet asks it for each. The app's own port may
 * be closed to the kubelet, which is no workload of the mesh; and whoever connects to a captured port has connected to Envoy,
 * whether the app listens or not.
 */

/** The request header by which the kubelet proves that it is the one that was told of the pod: it guards `/drain`, and what is passed on to the app. */
export const keyHeader = 'x-weft-drain-key';

/** What is asked of the app. */
export type Probe = TcpProbe | GrpcProbe | HttpProbe;

/** Whether it takes connections. */
export interface TcpProbe {
  readonly kind: 'tcp';
  readonly port: number;
  /** Seconds between two checks while they succeed; while they fail, Envoy tries every second. */
  readonly periodSeconds: number;
}

/** Whether it says of itself that it serves, by grpc.health.v1. */
export interface GrpcProbe {
  readonly kind: 'grpc';
  readonly port: number;
  /** Of which service; empty for the whole app. */
  readonly service: string;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
}

/** What it answers to a GET. */
export interface HttpProbe {
  readonly kind: 'http' | 'https';
  readonly port: number;
  /** With its query; begins with a slash. */
  readonly path: string;
}

/** Where the health listener answers for a probe. No two have the same path, unless they ask the same. */
export function probePath(probe: Probe): string {
  const { kind, port } = probe;
  if (kind === 'tcp') return `/probe/tcp/${port}`;
  if (kind === 'grpc') return `/probe/grpc/${port}${probe.service && `/${probe.service}`}`;
  return `/probe/${kind}/${port}${probe.path}`;
}

/** Seconds that a probe says for itself. */
export interface ProbeTimes {
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
}

/** Reads what {@link probePath} writes; undefined for another path. */
export function readProbePath(text: string, times: ProbeTimes): Probe | undefined {
  const [, kind, digits, rest = ''] = /^\/probe\/(tcp|grpc|https?)\/(\d{1,5})(\/.*)?$/.exec(text) ?? [];
  const port = Number(digits);
  if (kind === 'tcp') return rest === '' ? { kind, port, periodSeconds: times.periodSeconds } : undefined;
  if (kind === 'grpc') return isService(rest.slice(1)) ? { kind, port, service: rest.slice(1), ...times } : undefined;
  return (kind === 'http' || kind === 'https') && isPath(rest) ? { kind, port, path: rest } : undefined;
}

/** Whether a path is sent by the kubelet as it is written, and understood by all alike. */
export function isPath(path: string): boolean {
  return /^\/[A-Za-z0-9._~!&'()*+,;=:@%/?-]*$/.test(path);
}

/** Whether the name of a service can stand in a path. */
export function isService(service: string): boolean {
  return /^[A-Za-z0-9._/-]*$/.test(service);
}

/** Each probe once, in the order of ports and paths; what is asked alike is asked as often as the most frequent wants, with the patience of the most patient. */
export function mergeProbes(probes: readonly Probe[]): readonly Probe[] {
  const byPath = new Map<string, Probe>();
  for (const probe of probes) byPath.set(probePath(probe), merged(probe, byPath.get(probePath(probe)) ?? probe));
  return [...byPath].sort(([a, { port: aPort }], [b, { port: bPort }]) => aPort - bPort || (a < b ? -1 : 1)).map(([, probe]) => probe);
}

function merged(one: Probe, other: Probe): Probe {
  if (one.kind === 'tcp' && other.kind === 'tcp') return { ...one, periodSeconds: Math.min(one.periodSeconds, other.periodSeconds) };
  if (one.kind !== 'grpc' || other.kind !== 'grpc') return one;
  const timeoutSeconds = Math.max(one.timeoutSeconds, other.timeoutSeconds);
  return { ...one, periodSeconds: Math.min(one.periodSeconds, other.periodSeconds), timeoutSeconds };
}
