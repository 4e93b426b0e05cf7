/** What of the controller is shown as metrics: read when somebody asks. */
import type { Family, Sample } from '../../observe/metrics.js';
import type { Registry } from '../../serve/registry.js';
import type { Lease } from '../../status/lease.js';
import type { StatusLoop } from '../../status/loop.js';
import type { UnmeshedPod } from '../../status/unmeshed.js';
import type { StatusWriter } from '../../status/writer.js';

/** How it stands with one kind of object that is watched. */
export interface WatchState {
  /** `v1/Pod`. */
  readonly id: string;
  readonly synced: boolean;
  readonly following: boolean;
  readonly objects: number;
  /** Milliseconds since 1970; undefined when never. */
  readonly lastEvent: number | undefined;
}

/** Where the figures come from. */
export interface FamilySources {
  readonly registry: Registry;
  /** How often the compiler was asked. */
  readonly compilations: () => number;
  /** Seconds that it took, all together. */
  readonly compileSeconds: () => number;
  readonly watch: () => readonly WatchState[];
  readonly lease: Pick<Lease, 'isHolder'>;
  readonly loop: Pick<StatusLoop, 'summary'>;
  readonly writer: Pick<StatusWriter, 'writes'>;
  readonly unmeshed: () => readonly UnmeshedPod[];
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** All metrics of the controller that are read, and not written as things happen. */
export function controllerFamilies(sources: FamilySources): readonly Family[] {
  return [...streamFamilies(sources), ...compileFamilies(sources), ...watchFamilies(sources), ...statusFamilies(sources)];
}

function streamFamilies({ registry }: FamilySources): readonly Family[] {
  const total = (name: string, help: string, field: keyof ReturnType<Registry['totals']>): Family => ({
    ...{ name: `weft_${name}_total`, help, type: 'counter', read: () => [{ value: registry.totals()[field] }] },
  });
  return [
    {
      name: 'weft_connected_proxies',
      help: 'Open xDS streams, by variant of the protocol.',
      type: 'gauge',
      labels: ['variant'],
      read: () =>
        tally(
          ['delta', 'sotw'],
          [...registry.connections()].map(({ variant }) => variant),
          'variant',
        ),
    },
    total('streams_opened', 'xDS streams begun.', 'opened'),
    total('xds_requests', 'Messages from proxies, acknowledgements included.', 'requests'),
    total('xds_pushes', 'Messages to proxies.', 'responses'),
    total('xds_bytes', 'Bytes of the messages to proxies.', 'bytes'),
    total('xds_rejections', 'Messages that a proxy has refused.', 'rejections'),
  ];
}

function compileFamilies({ compilations, compileSeconds }: FamilySources): readonly Family[] {
  return [
    { name: 'weft_compilations_total', help: 'Resources compiled.', type: 'counter', read: () => [{ value: compilations() }] },
    { name: 'weft_compile_seconds_total', help: 'Time spent in the compiler.', type: 'counter', read: () => [{ value: compileSeconds() }] },
  ];
}

function watchFamilies({ watch, clock }: FamilySources): readonly Family[] {
  const family = (name: string, help: string, figure: (state: WatchState) => number | undefined): Family => ({
    ...{ name: `weft_watch_${name}`, help, type: 'gauge', labels: ['kind'] },
    read: () =>
      watch().flatMap((state) => {
        const value = figure(state);
        return value === undefined ? [] : [{ labels: { kind: state.id }, value }];
      }),
  });
  return [
    family('synced', 'Whether all objects of the kind have been read once.', ({ synced }) => Number(synced)),
    family('following', 'Whether changes of the kind arrive; 0 while the API server is away.', ({ following }) => Number(following)),
    family('objects', 'Objects of the kind.', ({ objects }) => objects),
    family('silent_seconds', 'Since when the API server has not been heard of this kind.', ({ lastEvent }) =>
      lastEvent === undefined ? undefined : Math.max(0, clock() - lastEvent) / 1000,
    ),
  ];
}

const reasons: readonly UnmeshedPod['reason'][] = ['UnknownLabel', 'HostNetwork', 'CreatedBeforeLabel', 'InjectorUnavailable', 'NotInjected'];

function statusFamilies({ lease, loop, writer, unmeshed }: FamilySources): readonly Family[] {
  return [
    {
      name: 'weft_lease_holder',
      help: 'Whether this replica holds the Lease and writes status.',
      type: 'gauge',
      read: () => [{ value: Number(lease.isHolder()) }],
    },
    { name: 'weft_status_writes_total', help: 'Statuses written.', type: 'counter', read: () => [{ value: writer.writes() }] },
    {
      name: 'weft_policy_conditions',
      help: 'Targets of policies by condition; only the holder of the Lease knows.',
      type: 'gauge',
      labels: ['type', 'status', 'reason'],
      read: () => loop.summary().map(({ type, status, reason, count }) => ({ labels: { type, status, reason }, value: count })),
    },
    {
      name: 'weft_unmeshed_pods',
      help: 'Pods that should have a sidecar and have none.',
      type: 'gauge',
      labels: ['reason'],
      read: () =>
        tally(
          reasons,
          unmeshed().map(({ reason }) => reason),
          'reason',
        ),
    },
  ];
}

/** A sample for each word, also for those that nothing has. */
function tally(words: readonly string[], found: readonly string[], label: string): readonly Sample[] {
  const counts = new Map(words.map((word) => [word, 0]));
  for (const word of found) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, value]) => ({ labels: { [label]: word }, value }));
}
