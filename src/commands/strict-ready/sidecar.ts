/** Asks a Pod's sidecar who has called its app in plaintext. */

import { type KubeClient, KubeError } from '../../kubernetes/api.js';
import { maxPlaintextCallers, plaintextPath, plaintextPrefix } from '../../model/plaintext.js';
import { healthPort } from '../../model/sidecar-ports.js';
import type { Pod } from '../../model/workload.js';

/** A caller that was seen. */
export interface Sighting {
  /** The port of the app. */
  readonly port: number;
  readonly address: string;
  /** How often: at each connection (or request, where a policy looks into them), and every half minute while it is open. */
  readonly times: number;
  /** Seconds since 1970; undefined where the sidecar has seen too many to know. */
  readonly lastSeen: number | undefined;
}

/** What a sidecar tells. */
export interface SidecarReport {
  /** Seconds since its process started. */
  readonly uptime: number;
  readonly sightings: readonly Sighting[];
  /** Whether it has seen as many callers as it remembers, so that there may be others. */
  readonly isFull: boolean;
}

/** What it tells, or why it tells nothing: `problem` is a sentence about the Pod without its name. */
export type SidecarAnswer = { readonly pod: Pod } & ({ readonly report: SidecarReport } | { readonly problem: string });

/** Where a sidecar shows its statistics. */

/** How many sidecars are asked at a time. */
const atATime = 16;

/** Asks all of them by way of the API server. */
export async function askSidecars(client: KubeClient, pods: readonly Pod[]): Promise<readonly SidecarAnswer[]> {
  const answers: SidecarAnswer[] = [];
  const waiting = [...pods];
  const worker = async () => {
    for (let pod = waiting.shift(); pod; pod = waiting.shift()) answers.push(await askSidecar(client, pod));
  };
  await Promise.all(Array.from({ length: atATime }, worker));
  return answers;
}

async function askSidecar(client: KubeClient, pod: Pod): Promise<SidecarAnswer> {
  const path = `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}:${healthPort}/proxy${plaintextPath}`;
  try {
    const text = await client.request({ method: 'GET', path, timeoutMs: 10_000 });
    const report = typeof text === 'string' ? readReport(text) : undefined;
    return report ? { pod, report } : { pod, problem: 'answers with something else than statistics' };
  } catch (error) {
    return { pod, problem: explain(error, pod) };
  }
}

function explain(error: unknown, { namespace }: Pod): string {
  if (error instanceof KubeError && error.reason === 'NotFound') return 'is gone by now; check again';
  if (error instanceof KubeError && error.reason === 'Forbidden')
    return `may not be asked by you: that takes the right to get pods/proxy in namespace ${namespace}`;
  if (error instanceof KubeError && error.status === 404) return 'has a sidecar of an earlier version of Weft, which does not tell; start the Pod again';
  return `does not answer: ${error instanceof Error ? error.message : String(error)}`;
}

/** Reads Prometheus' text; undefined when it is not that of a sidecar. */
export function readReport(text: string): SidecarReport | undefined {
  const samples = text.split('\n').flatMap(readSample);
  const named = (name: string) => samples.filter((sample) => sample.name === name);
  const [uptime] = named('envoy_server_uptime');
  if (!uptime) return undefined;
  const [counts = [], moments = []] = ['seen_total', 'last_seen_seconds'].map((name) => named(`envoy_${plaintextPrefix}_${name}`));
  const lastSeen = new Map(moments.map(({ labels, value }) => [keyOf(labels), value]));
  const sightings = counts.map(({ labels, value }) => ({
    port: Number(labels.get('port')),
    address: labels.get('source_address') ?? '',
    times: value,
    lastSeen: lastSeen.get(keyOf(labels)),
  }));
  return { uptime: uptime.value, sightings, isFull: sightings.length >= maxPlaintextCallers };
}

interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

function readSample(line: string): readonly Sample[] {
  const [, name, inner, value] = /^(\w+)\{(.*)\} (\d+)$/.exec(line) ?? [];
  if (name === undefined) return [];
  const labels = new Map([...(inner ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', content = '']) => [label, content]));
  return [{ name, labels, value: Number(value) }];
}

function keyOf(labels: Sample['labels']): string {
  return `${labels.get('port')} ${labels.get('source_address')}`;
}
