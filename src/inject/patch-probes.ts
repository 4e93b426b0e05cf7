/** What the kubelet asks the app's containers: by way of the sidecar from now on. */
import { healthPort } from '../model/sidecar-ports.js';
import { type Container, type Fields, fieldOf, isFields } from './pod.js';
import { isPath, isService, keyHeader, type Probe, type ProbeTimes, probePath, readProbePath } from './probe.js';

const probeFields = ['startupProbe', 'readinessProbe', 'livenessProbe'] as const;
const hookFields = ['postStart', 'preStop'] as const;

/** A container whose probes ask Envoy, and what Envoy has to know for that. */
export interface Probed {
  readonly container: Container;
  readonly probes: readonly Probe[];
}

/** Its probes, and its hooks that are HTTP requests, lead to Envoy, and show it the key. Those to the ports in `excluded` reach the app itself. */
export function withProbes(container: Container, excluded: readonly number[], key: string): Probed {
  const rewrite = (value: unknown): Rewritten | undefined => {
    const probe = isFields(value) ? probeOf(container, value) : undefined;
    return isFields(value) && probe && !excluded.includes(probe.port) ? { probe, value: rewritten(value, probe, key) } : undefined;
  };
  const probes = probeFields.flatMap((field) => found(field, rewrite(container[field])));
  const hooks = hookFields.flatMap((field) => found(field, rewrite(container.lifecycle?.[field])));
  const lifecycle = hooks.length > 0 ? { lifecycle: { ...container.lifecycle, ...fieldsOf(hooks) } } : {};
  return { container: { ...container, ...fieldsOf(probes), ...lifecycle }, probes: [...probes, ...hooks].map(({ probe }) => probe) };
}

interface Rewritten {
  readonly value: Fields;
  readonly probe: Probe;
}

function found<Field extends string>(field: Field, rewritten: Rewritten | undefined): readonly (Rewritten & { readonly field: Field })[] {
  return rewritten ? [{ field, ...rewritten }] : [];
}

function fieldsOf(all: readonly { readonly field: string; readonly value: Fields }[]): Fields {
  return Object.fromEntries(all.map(({ field, value }) => [field, value]));
}

function rewritten({ tcpSocket: _, grpc: __, httpGet, ...rest }: Fields, probe: Probe, key: string): Fields {
  const passedOn = probe.kind === 'http' || probe.kind === 'https';
  const headers = passedOn ? { httpHeaders: [...headersOf(httpGet), { name: keyHeader, value: key }] } : {};
  return { ...rest, httpGet: { path: probePath(probe), port: healthPort, scheme: 'HTTP', ...headers } };
}

function headersOf(httpGet: unknown): readonly unknown[] {
  const headers = fieldOf(httpGet, 'httpHeaders');
  return Array.isArray(headers) ? headers.filter((header: unknown) => fieldOf(header, 'name') !== keyHeader) : [];
}

/** Also of a probe that has been rewritten before. One with a host of its own is not about this pod; one that a path cannot say stays as it is. */
function probeOf(container: Container, value: Fields): Probe | undefined {
  const { tcpSocket, httpGet, grpc } = value;
  const times = timesOf(value);
  if (isFields(tcpSocket)) return tcpOf(container, tcpSocket, times);
  if (isFields(grpc)) return grpcOf(container, grpc, times);
  return isFields(httpGet) ? httpOf(container, httpGet, times) : undefined;
}

function tcpOf(container: Container, { host, port }: Fields, { periodSeconds }: ProbeTimes): Probe | undefined {
  const number = host ? undefined : portNumber(container, port);
  return number === undefined ? undefined : { kind: 'tcp', port: number, periodSeconds };
}

function grpcOf(container: Container, { port, service }: Fields, times: ProbeTimes): Probe | undefined {
  const number = portNumber(container, port);
  const name = typeof service === 'string' ? service : '';
  return number === undefined || !isService(name) ? undefined : { kind: 'grpc', port: number, service: name, ...times };
}

/** The kubelet puts a slash before a path that has none. */
function httpOf(container: Container, { host, port, path, scheme }: Fields, times: ProbeTimes): Probe | undefined {
  const text = typeof path === 'string' ? path : '';
  if (port === healthPort) return readProbePath(text, times);
  const number = host ? undefined : portNumber(container, port);
  const whole = text.startsWith('/') ? text : `/${text}`;
  return number === undefined || !isPath(whole) ? undefined : { kind: scheme === 'HTTPS' ? 'https' : 'http', port: number, path: whole };
}

function portNumber({ ports = [] }: Container, port: unknown): number | undefined {
  const number = typeof port === 'string' ? (ports.find(({ name }) => name === port)?.containerPort ?? Number(port)) : port;
  return typeof number === 'number' && number >= 1 && number <= 65_535 ? number : undefined;
}

function timesOf({ periodSeconds, timeoutSeconds }: Fields): ProbeTimes {
  const atLeastOne = (value: unknown, otherwise: number) => (typeof value === 'number' && value >= 1 ? value : otherwise);
  return { periodSeconds: atLeastOne(periodSeconds, 10), timeoutSeconds: atLeastOne(timeoutSeconds, 1) };
}
