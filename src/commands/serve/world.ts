/** The cluster's objects on their way into the core, and word of what happens to them. */
import type { KubeClient } from '../../kubernetes/api.js';
import type { Diagnostic } from '../../model/diagnostic.js';
import type { Change } from '../../sources/change.js';
import { type ClusterWatch, watchCluster } from '../../sources/kubernetes.js';
import { type BrokenPolicies, createBrokenPolicies } from '../../status/broken.js';
import { createMeshObjects, type MeshObjects } from '../../status/mesh-status.js';
import { parsers } from '../parsers.js';
import type { Core } from './core.js';
import { observedParsers } from './observed-parsers.js';

/** A cluster that is being followed. */
export interface ClusterWorld {
  readonly watch: ClusterWatch;
  readonly broken: BrokenPolicies;
  readonly meshes: MeshObjects;
  /** What is wrong with objects by themselves. */
  readonly found: () => readonly Diagnostic[];
  /** A number that is another one whenever the world may be. */
  readonly revision: () => number;
  /** The same for what the verdict on a policy depends on: endpoints and pods, which change all the time, are no part of it. */
  readonly verdictRevision: () => number;
  /** Calls the listener after changes have been applied. */
  readonly onChange: (listener: (changes: readonly Change[]) => void) => void;
}

/** Begins to follow the cluster. `onHeldUp` is told what has to be mended before anything is served. */
export function followWorld(
  { controller, report, logger }: Core,
  client: KubeClient,
  onHeldUp: (diagnostics: readonly Diagnostic[]) => void = () => undefined,
): ClusterWorld {
  const broken = createBrokenPolicies();
  const meshes = createMeshObjects();
  const listeners: ((changes: readonly Change[]) => void)[] = [];
  let found: readonly Diagnostic[] = [];
  let revision = 0;
  let verdictRevision = 0;
  const watch = watchCluster({
    client,
    parsers: observedParsers(parsers, broken, meshes),
    onChange: (changes) => {
      revision++;
      if (changes.some(({ kind }) => judged.has(kind))) verdictRevision++;
      controller.apply(changes);
      for (const listener of listeners) listener(changes);
    },
    onDiagnostics: (all) => {
      revision++;
      verdictRevision++;
      found = all;
      report(all);
    },
    onHeldUp,
    onState: ({ id, following, problem }) => logger[problem === undefined ? 'info' : 'warn']({ id, following, problem }, 'the watch of a kind has changed'),
  });
  const revisions = { revision: () => revision, verdictRevision: () => verdictRevision };
  return { watch, broken, meshes, found: () => found, ...revisions, onChange: (listener) => void listeners.push(listener) };
}

/** The kinds that decide whether a policy is sound and finds what it names. */
const judged: ReadonlySet<Change['kind']> = new Set(['Service', 'TrafficPolicy', 'Mesh', 'Namespace']);
