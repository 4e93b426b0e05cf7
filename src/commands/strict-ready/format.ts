/** What `weft check --strict-ready` prints for people. */
import { formatTable } from '../table.js';
import { formatAge } from './age.js';
import type { PortReadiness, SeenCaller, ServiceReadiness, Verdict } from './readiness.js';

/** All that is told. */
export interface StrictReadiness {
  readonly services: readonly ServiceReadiness[];
  /** What keeps the whole from being known. */
  readonly problems: readonly string[];
}

const words: Readonly<Record<Verdict, string>> = { Ready: 'yes', NotReady: 'no', Unknown: 'unknown', Strict: 'is Strict', Unmeshed: 'not meshed' };

/** A line for each caller of each port, what is not known, what to do. `now` is in milliseconds since 1970. */
export function formatReadiness({ services, problems }: StrictReadiness, now: number): string {
  const shown = services.filter(({ verdict }) => verdict !== 'Unmeshed');
  const rows = shown.flatMap((one) => one.ports.flatMap((port) => rowsOf(one, port, now)));
  const table = formatTable(['service', 'port', 'mode', 'ready', 'watched', 'caller', 'address', 'seen', 'last seen'], rows);
  const unknown = [...problems, ...new Set(services.flatMap((one) => one.problems))];
  return [table, section('Not known', unknown), section('What to do', remediesOf(services)), section('All in all', summary(services))]
    .filter(Boolean)
    .join('\n');
}

function rowsOf({ service, watchedSeconds }: ServiceReadiness, { port, mode, verdict, callers }: PortReadiness, now: number): readonly (readonly string[])[] {
  const watched = verdict === 'Strict' || watchedSeconds === undefined ? '-' : formatAge(watchedSeconds);
  const first = [service, String(port), mode, words[verdict], watched];
  if (callers.length === 0) return [[...first, '-']];
  return callers.map((caller) => [...first, nameCaller(caller), caller.address, `${caller.timesSeen}x`, ageOf(caller, now)]);
}

function nameCaller(caller: SeenCaller): string {
  if (caller.kind === 'Pod') return `Pod ${caller.name}, as ${caller.serviceAccount}${caller.isMeshed ? ', meshed' : ''}`;
  return caller.kind === 'Node' ? `Node ${caller.name}` : 'not of the cluster now';
}

function ageOf({ lastSeen }: SeenCaller, now: number): string {
  return lastSeen === undefined ? '-' : `${formatAge(Math.max(0, now - Date.parse(lastSeen)) / 1000)} ago`;
}

function remediesOf(services: readonly ServiceReadiness[]): readonly string[] {
  const callers = services.flatMap(({ ports }) => ports.flatMap((port) => port.callers));
  const has = (is: (caller: SeenCaller) => boolean, remedy: string) => (callers.some(is) ? [remedy] : []);
  return [
    ...has((caller) => caller.kind === 'Pod' && !caller.isMeshed, 'A Pod without a sidecar: mesh it, or it will be refused.'),
    ...has(
      (caller) => caller.kind === 'Pod' && caller.isMeshed,
      'A meshed Pod: its sidecar leaves such calls out (annotations weft.dev/exclude-outbound-...), it called before it was meshed, or the mode is Disabled.',
    ),
    ...has(
      (caller) => caller.kind === 'Node',
      'A Node: a Pod of its network, a probe that is left as it is, or a call from outside by way of a node port. Have it call a port of its own that stays Permissive.',
    ),
    ...has(
      (caller) => caller.kind === 'Unknown',
      'Not of the cluster now: a Pod that is gone, or a host outside. Once it is seen to, --since 10m leaves out what was seen before.',
    ),
  ];
}

function summary(services: readonly ServiceReadiness[]): readonly string[] {
  const of = (verdict: Verdict) => services.filter((one) => one.verdict === verdict);
  const counts: readonly (readonly [Verdict, string])[] = [
    ['Ready', 'ready'],
    ['NotReady', 'not ready'],
    ['Unknown', 'not known'],
    ['Strict', 'Strict already'],
    ['Unmeshed', 'without a Pod that has a sidecar'],
  ];
  const ready = of('Ready').map(({ service }) => service);
  return [
    `${counts.map(([verdict, word]) => `${of(verdict).length} ${word}`).join(', ')}.`,
    ...(ready.length > 0 ? [`Ready, as far as was seen in the time under WATCHED: ${ready.join(', ')}.`] : []),
  ];
}

function section(heading: string, lines: readonly string[]): string {
  return lines.length > 0 ? `${heading}\n\n${lines.map((line) => `${line}\n`).join('')}` : '';
}
