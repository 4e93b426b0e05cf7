/** Which Services may be made Strict without breaking a caller. Pure. */
import { type InboundUse, inboundPorts, inboundUses, modeOf } from '../../compile/inbound-ports.js';
import type { Key } from '../../model/name.js';
import { plaintextMemory } from '../../model/plaintext.js';
import type { Service } from '../../model/service.js';
import type { Pod } from '../../model/workload.js';
import { audienceOf } from '../audience.js';
import { formatAge } from './age.js';
import { type Caller, createFindCaller, type FindCaller } from './callers.js';
import type { SidecarAnswer, Sighting } from './sidecar.js';
import type { World } from './world.js';

/**
 * `Strict`: it is already; `Ready`: nobody was seen; `NotReady`: somebody was; `Unknown`: nobody was, but not every sidecar has
 * told; `Unmeshed`: none of its Pods has a sidecar, so that `Strict` would mean nothing.
 */
export type Verdict = 'Strict' | 'Ready' | 'NotReady' | 'Unknown' | 'Unmeshed';

/** A caller in plaintext of one port. */
export type SeenCaller = Caller & {
  readonly address: string;
  /** How often: at each connection (or request, where a policy looks into them), and every half minute while it is open. */
  readonly timesSeen: number;
  /** RFC 3339; undefined where the sidecars do not know. */
  readonly lastSeen: string | undefined;
};

/** A port of a Service. */
export interface PortReadiness {
  readonly port: number;
  readonly name: string;
  readonly mode: string;
  readonly verdict: Verdict;
  readonly callers: readonly SeenCaller[];
}

/** A Service. */
export interface ServiceReadiness {
  /** `namespace/name`. */
  readonly service: Key;
  readonly verdict: Verdict;
  /** For how long, in seconds, all of its sidecars would have remembered a caller; undefined where none was asked. */
  readonly watchedSeconds: number | undefined;
  readonly ports: readonly PortReadiness[];
  /** Why not all is known. */
  readonly problems: readonly string[];
}

/** A port of a Service at one of its Pods. */
export interface Exposure extends InboundUse {
  readonly pod: Pod;
  readonly mode: string;
}

/** Where plaintext may arrive: all ports of Services in the namespaces, at Pods with a sidecar. */
export function exposuresOf({ mesh, pods }: World, isChosen: (namespace: string) => boolean): readonly Exposure[] {
  const meshed = pods.filter((pod) => pod.proxy === 'Injected' && !pod.hostNetwork && pod.addresses.length > 0 && isChosen(pod.namespace));
  return meshed.flatMap((pod) => {
    const uses = inboundUses(mesh, audienceOf(mesh, pod, 'captured'));
    const strict = new Set(inboundPorts(uses, mesh.config().mtls).flatMap((port) => (port.strict ? [port.number] : [])));
    return uses.map((use) => ({ ...use, pod, mode: strict.has(use.number) ? 'Strict' : (modeOf(use.stanzas) ?? 'Permissive') }));
  });
}

/** The Pods whose sidecars have something to tell, each once. */
export function podsToAsk(exposures: readonly Exposure[]): readonly Pod[] {
  return [...new Set(exposures.filter(({ mode }) => mode !== 'Strict').map(({ pod }) => pod))];
}

/** What is asked. */
export interface Question {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Milliseconds: callers that were last seen longer ago do not count. */
  readonly since: number;
  /** Milliseconds: a sidecar that has looked for less does not know. */
  readonly watched: number;
}

/** What follows from what the sidecars tell. */
export function judge(
  world: World,
  services: readonly Service[],
  exposures: readonly Exposure[],
  answers: readonly SidecarAnswer[],
  { now, since, watched }: Question,
): readonly ServiceReadiness[] {
  const told = new Map(answers.map((answer) => [answer.pod.key, answer]));
  const context: Context = { told, find: createFindCaller(world), since: (now - since) / 1000 };
  return services.map((service) => {
    const own = exposures.filter((exposure) => exposure.service.key === service.key);
    const asked = own.filter(({ mode }) => mode !== 'Strict').flatMap(({ pod }) => told.get(pod.key) ?? []);
    const problems = [...new Set(asked.flatMap((answer) => problemOf(answer, watched / 1000)))];
    const ports = service.ports.flatMap(({ port, name }) => portReadiness(port, name, own, problems, context));
    const uptimes = asked.flatMap((answer) => ('report' in answer ? [answer.report.uptime] : []));
    const watchedSeconds = uptimes.length > 0 ? Math.min(...uptimes, plaintextMemory, since / 1000) : undefined;
    return { service: service.key, verdict: together(ports.map(({ verdict }) => verdict)), watchedSeconds, ports, problems };
  });
}

/** What callers are looked for with. */
interface Context {
  readonly told: ReadonlyMap<Key, SidecarAnswer>;
  readonly find: FindCaller;
  /** Seconds since 1970. */
  readonly since: number;
}

function problemOf(answer: SidecarAnswer, watched: number): readonly string[] {
  if ('problem' in answer) return [`Pod ${answer.pod.key} ${answer.problem}`];
  const { isFull, uptime } = answer.report;
  if (uptime < watched) return [`Pod ${answer.pod.key} has looked for ${formatAge(uptime)} only, and --watched is ${formatAge(watched)}`];
  return isFull ? [`Pod ${answer.pod.key} has been called by more addresses than its sidecar remembers`] : [];
}

/** Nothing for a port that no Pod with a sidecar has. */
function portReadiness(port: number, name: string, own: readonly Exposure[], problems: readonly string[], context: Context): readonly PortReadiness[] {
  const exposures = own.filter((exposure) => exposure.port.port === port);
  const [first] = exposures;
  if (!first) return [];
  const open = exposures.filter(({ mode }) => mode !== 'Strict');
  const sightings = open.flatMap((exposure) => sightingsAt(exposure, context));
  const callers = callersOf(sightings, context.find);
  return [{ port, name, mode: (open[0] ?? first).mode, verdict: verdictOf(open.length, callers.length, problems.length), callers }];
}

function verdictOf(open: number, callers: number, problems: number): Verdict {
  if (open === 0) return 'Strict';
  if (callers > 0) return 'NotReady';
  return problems > 0 ? 'Unknown' : 'Ready';
}

function sightingsAt({ pod, number }: Exposure, { told, since }: Context): readonly Sighting[] {
  const answer = told.get(pod.key);
  return answer && 'report' in answer ? answer.report.sightings.filter(({ port, lastSeen }) => port === number && (lastSeen ?? since) >= since) : [];
}

/** Each address once, the busiest first. */
function callersOf(sightings: readonly Sighting[], find: FindCaller): readonly SeenCaller[] {
  const addresses = [...new Set(sightings.map(({ address }) => address))].sort();
  const callers = addresses.map((address) => {
    const own = sightings.filter((sighting) => sighting.address === address);
    const moments = own.flatMap((sighting) => sighting.lastSeen ?? []);
    const lastSeen = moments.length > 0 ? Math.max(...moments) : undefined;
    const timesSeen = own.reduce((sum, { times }) => sum + times, 0);
    return { ...find(address, lastSeen), address, timesSeen, lastSeen: lastSeen === undefined ? undefined : new Date(lastSeen * 1000).toISOString() };
  });
  return callers.sort((a, b) => b.timesSeen - a.timesSeen);
}

/** That of a Service: the worst of its ports; of one that is Strict in part, the rest counts. */
function together(verdicts: readonly Verdict[]): Verdict {
  const order: readonly Verdict[] = ['NotReady', 'Unknown', 'Ready', 'Strict'];
  return order.find((verdict) => verdicts.includes(verdict)) ?? 'Unmeshed';
}
