/** What a pod asks for by its annotations, checked: a bad value is refused in words, never passed over. */
import { parseDuration } from '../model/duration.js';
import type { Pod } from './pod.js';
import { parseQuantity } from './quantity.js';
import { cidrFamily, isPort } from './redirect.js';
import type { InjectSettings, ProxyResources } from './settings.js';

/** The label, of a namespace or a pod, that asks for a sidecar or against one. */
export const injectLabel = 'weft.dev/inject';
/** The annotation of an injected pod: Weft's version. */
export const injectedAnnotation = 'weft.dev/injected';

/** What holds for one pod. */
export interface PodOptions {
  readonly excludeInboundPorts: readonly number[];
  readonly excludeOutboundPorts: readonly number[];
  readonly excludeOutboundCidrs: readonly string[];
  readonly drainDelayMs: number;
  readonly resources: ProxyResources;
}

/** An annotation that cannot be followed. */
export interface BadAnnotation {
  readonly annotation: string;
  readonly value: string;
  /** What it must be. */
  readonly expected: string;
}

/** The longest list that is taken: each entry is a rule that each new connection may pass. */
const maxEntries = 100;
/** As long as a pod gets to end, unless it says otherwise; nobody waits longer for callers to leave. */
const maxDrainDelayMs = 3_600_000;

/** How one annotation is read: undefined for a value that is none of its kind. */
interface Reader<T> {
  readonly annotation: string;
  readonly expected: string;
  readonly read: (text: string) => T | undefined;
}

const ports = (annotation: string): Reader<readonly number[]> => ({
  annotation,
  expected: `a list of at most ${maxEntries} port numbers from 1 to 65535 with commas between them, such as "25,3306"`,
  read: (text) => {
    const words = split(text);
    const numbers = words.map((word) => (/^\d{1,5}$/.test(word) ? Number(word) : Number.NaN));
    return words.length <= maxEntries && numbers.every(isPort) ? numbers : undefined;
  },
});

const readers = {
  excludeInboundPorts: ports('weft.dev/exclude-inbound-ports'),
  excludeOutboundPorts: ports('weft.dev/exclude-outbound-ports'),
  excludeOutboundCidrs: {
    annotation: 'weft.dev/exclude-outbound-cidrs',
    expected: `a list of at most ${maxEntries} ranges of addresses with commas between them, such as "10.0.0.0/8,fd00::/8"`,
    read: (text: string) => {
      const words = split(text);
      return words.length <= maxEntries && words.every((word) => cidrFamily(word) !== undefined) ? words : undefined;
    },
  },
  drainDelayMs: {
    annotation: 'weft.dev/drain-delay',
    expected: 'a duration of at most 1h, such as "5s" or "1m30s"',
    read: (text: string) => {
      const delay = parseDuration(text);
      return delay !== undefined && delay <= maxDrainDelayMs ? delay : undefined;
    },
  },
};

const quantity = (annotation: string): Reader<string> => ({
  annotation,
  expected: 'a quantity above zero, such as "100m" of CPU or "128Mi" of memory',
  read: (text) => (parseQuantity(text) === undefined ? undefined : text),
});

const resourceReaders: { readonly [Name in keyof ProxyResources]: Reader<string> } = {
  cpu: quantity('weft.dev/proxy-cpu'),
  memory: quantity('weft.dev/proxy-memory'),
  cpuLimit: quantity('weft.dev/proxy-cpu-limit'),
  memoryLimit: quantity('weft.dev/proxy-memory-limit'),
};

/** The options of a pod, or the first annotation that is wrong. */
export function readOptions(pod: Pod, settings: InjectSettings): PodOptions | BadAnnotation {
  const annotations = pod.metadata?.annotations ?? {};
  const bad = [...Object.values(readers), ...Object.values(resourceReaders)].find(({ annotation, read }) => {
    const text = annotations[annotation];
    return text !== undefined && read(text) === undefined;
  });
  if (bad) return { annotation: bad.annotation, value: annotations[bad.annotation] ?? '', expected: bad.expected };
  const given = <T>({ annotation, read }: Reader<T>, otherwise: T): T => read(annotations[annotation] ?? '-') ?? otherwise;
  const resources: ProxyResources = {
    cpu: given(resourceReaders.cpu, settings.resources.cpu),
    memory: given(resourceReaders.memory, settings.resources.memory),
    cpuLimit: given(resourceReaders.cpuLimit, settings.resources.cpuLimit),
    memoryLimit: given(resourceReaders.memoryLimit, settings.resources.memoryLimit),
  };
  return (
    excess(resources) ?? {
      excludeInboundPorts: given(readers.excludeInboundPorts, []),
      excludeOutboundPorts: given(readers.excludeOutboundPorts, []),
      excludeOutboundCidrs: given(readers.excludeOutboundCidrs, []),
      drainDelayMs: given(readers.drainDelayMs, settings.drainDelayMs),
      resources,
    }
  );
}

/** The API server would refuse it too, but by naming a container that its reader has never seen. */
function excess({ cpu, memory, cpuLimit, memoryLimit }: ProxyResources): BadAnnotation | undefined {
  const beyond = (wanted: string, limit: string) => (parseQuantity(wanted) ?? 0) > (parseQuantity(limit) ?? Number.POSITIVE_INFINITY);
  const complain = (reader: Reader<string>, limit: Reader<string>, value: string, most: string): BadAnnotation => ({
    annotation: reader.annotation,
    value,
    expected: `at most the limit of ${most}; raise that with the annotation ${limit.annotation}`,
  });
  if (beyond(cpu, cpuLimit)) return complain(resourceReaders.cpu, resourceReaders.cpuLimit, cpu, cpuLimit);
  if (beyond(memory, memoryLimit)) return complain(resourceReaders.memory, resourceReaders.memoryLimit, memory, memoryLimit);
  return undefined;
}

/** Whether {@link readOptions} has found a bad annotation. */
export function isBad(found: PodOptions | BadAnnotation): found is BadAnnotation {
  return 'annotation' in found;
}

function split(text: string): readonly string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}
